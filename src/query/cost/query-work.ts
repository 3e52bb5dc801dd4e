import { isPerigeeError } from '../../core/errors.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { containerSettings, type ContainerSettings } from '../container-settings.ts';
import { documentPathOf, lookedUpPaths, sourcePaths } from '../explain/indexed-paths.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import { nearestSearch } from '../search/nearest-search.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import { operandsOf } from '../walk.ts';

/**
 * How the model of request units takes a query to find its documents, by its text and the container's index policy alone.
 *
 * - `served`: an index of the policy serves the filter, or a part of it, or there is no filter. It reads the documents that pass.
 * - `nearest`: as `served`, and an approximate vector index of the policy has the order: it reads the documents that it returns, and those that OFFSET
 *   leaves out.
 * - `scan`: no index serves any of it. It reads all documents of the scope.
 *
 * What a store does is another matter: one without indexes looks at every document, and charges the same.
 */
export type QueryAccess = 'served' | 'nearest' | 'scan';

/** What a condition says of the documents to read; `free` where it is about none. */
type Condition = 'served' | 'unserved' | 'free';

class PolicyReader {
  readonly #prepared: PreparedQuery;
  readonly #settings: ContainerSettings;
  readonly #sources: ReadonlyMap<number, readonly string[]>;

  constructor(prepared: PreparedQuery, settings: ContainerSettings) {
    this.#prepared = prepared;
    this.#settings = settings;
    this.#sources = sourcePaths(prepared);
  }

  condition(node: ExpressionNode): Condition {
    if (node.kind === 'binary' && (node.operator === 'AND' || node.operator === 'OR')) {
      return this.#chain(node, node.operator);
    }
    if (node.kind === 'unary' && node.operator === 'NOT') {
      return this.condition(node.operand);
    }
    if (node.kind === 'subquery') {
      const where = this.#prepared.queries.get(node.query)?.where;
      return node.form === 'exists' && where !== undefined ? this.condition(where) : 'unserved';
    }
    const own = documentPathOf(node, this.#prepared, this.#sources);
    const paths = own === undefined ? lookedUpPaths(node, this.#prepared, this.#sources) : [own];
    if (paths.some((path) => this.#settings.isIndexed(path)) || this.#isSearch(node)) {
      return 'served';
    }
    return this.#readsDocument(node) ? 'unserved' : 'free';
  }

  /** One condition of an AND is enough to lead to the documents; of an OR all have to. */
  #chain(chain: ExpressionNode, operator: 'AND' | 'OR'): Condition {
    const found = new Set<Condition>();
    let node = chain;
    while (node.kind === 'binary' && node.operator === operator) {
      found.add(this.condition(node.right));
      node = node.left;
    }
    found.add(this.condition(node));
    const first = operator === 'AND' ? 'served' : 'unserved';
    const second = operator === 'AND' ? 'unserved' : 'served';
    return found.has(first) ? first : found.has(second) ? second : 'free';
  }

  /** Whether it is a search that a full-text or spatial index serves, or a comparison of a distance. */
  #isSearch(node: ExpressionNode): boolean {
    if (node.kind === 'binary') {
      return [node.left, node.right].some((side) => side.kind === 'call' && this.#isSearch(side));
    }
    return node.kind === 'call' && !node.udf && node.arguments.some((argument) => this.#isSearched(node, argument));
  }

  #isSearched(call: CallNode, argument: ExpressionNode): boolean {
    const path = documentPathOf(argument, this.#prepared, this.#sources);
    const name = call.name.toUpperCase();
    const { spatial, fullText } = this.#settings.policy;
    const indexes = name.startsWith('ST_') ? spatial : name.startsWith('FULLTEXTCONTAINS') ? fullText : [];
    return path !== undefined && indexes.some((index) => index.path.every((step, at) => step === path[at]));
  }

  #readsDocument(node: ExpressionNode): boolean {
    if (node.kind === 'identifier') {
      return this.#prepared.identifiers.get(node)?.kind === 'variable';
    }
    return node.kind === 'subquery' || operandsOf(node).some((operand) => this.#readsDocument(operand));
  }
}

/** The query at the start of FROM clauses that reads the documents. */
function readerOf(query: BoundQuery): BoundQuery {
  const input = query.sources[0]?.input;
  return input?.kind === 'subquery' ? readerOf(input.query) : query;
}

function readAccess(prepared: PreparedQuery, definition: ContainerDefinition): QueryAccess {
  const { where } = readerOf(prepared.root);
  if (where === undefined && prepared.root.orderBy.length === 0) {
    return 'served';
  }
  try {
    const isScan = where !== undefined && new PolicyReader(prepared, containerSettings(definition)).condition(where) === 'unserved';
    return isScan ? 'scan' : nearestSearch(prepared, definition) === undefined ? 'served' : 'nearest';
  } catch (error) {
    if (isPerigeeError(error, 'INVALID_CONTAINER')) {
      // A policy that an earlier version took without looking serves nothing.
      return where === undefined ? 'served' : 'scan';
    }
    throw error;
  }
}

const known = new WeakMap<ContainerDefinition, WeakMap<PreparedQuery, QueryAccess>>();

/** Says how the model takes a query to find its documents. It is worked out once for each query and container. */
export function accessByPolicy(prepared: PreparedQuery, definition: ContainerDefinition): QueryAccess {
  const found = known.get(definition) ?? new WeakMap<PreparedQuery, QueryAccess>();
  known.set(definition, found);
  const access = found.get(prepared) ?? readAccess(prepared, definition);
  found.set(prepared, access);
  return access;
}
