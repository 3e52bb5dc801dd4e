import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode, QueryParameter } from '../../syntax-nodes.ts';
import { expressionsOf, operandsOf } from '../../walk.ts';
import { isDocumentSource, readerOf, type SqliteCompileOptions } from './compile-filter.ts';
import { constantOf } from './constant-folder.ts';
import { quotePath } from './json-path.ts';
import { isOdd } from './odd-documents.ts';

/** The properties of a document that a query reads: all else may be left out of what is parsed. */
export interface SqliteProjection {
  /** Names at the top level of the stored text. */
  readonly names: readonly string[];
  /** An expression for each, which gives the JSON text of its value or NULL where there is none. */
  readonly columns: readonly string[];
  /** An expression that gives the whole text of an odd document, to be parsed instead, and NULL for all others. */
  readonly odd: string;
  /** Whether the query reads `_rid`, `_etag`, `_ts` and the like. */
  readonly readsSystemProperties: boolean;
}

/** Beyond so many it is faster to parse the document. */
const MAX_NAMES = 4;

/** Thrown where a query reads a document as a whole; ends the walk. */
const WHOLE = Symbol('the whole document');

/** Collects the names that are read of a document's variable. */
class NameCollector {
  readonly names = new Set<string>();
  readonly #prepared: PreparedQuery;
  readonly #parameters: ReadonlyMap<string, QueryParameter['value']>;
  readonly #slot: number | undefined;
  readonly #skipped: ExpressionNode | undefined;

  constructor(
    prepared: PreparedQuery,
    parameters: readonly QueryParameter[],
    slot: number | undefined,
    skipped: ExpressionNode | undefined,
  ) {
    this.#prepared = prepared;
    this.#parameters = new Map(parameters.map(({ name, value }) => [name, value]));
    this.#slot = slot;
    this.#skipped = skipped;
  }

  query(query: BoundQuery): void {
    for (const source of query.sources) {
      this.#source(source);
    }
    if (query.node.select.kind === 'select-star' && query.sources[0]?.slot === this.#slot) {
      throw WHOLE;
    }
    for (const expression of expressionsOf(query.node)) {
      if (expression !== this.#skipped) {
        this.#expression(expression);
      }
    }
  }

  #source({ input, slot }: BoundSource): void {
    if (input.kind === 'subquery') {
      this.query(input.query);
    } else if (input.kind === 'container' ? slot !== this.#slot : input.slot === this.#slot) {
      this.#read(input.path[0]);
    }
  }

  #read(step: string | number | undefined): void {
    if (typeof step !== 'string') {
      throw WHOLE;
    }
    this.names.add(step);
  }

  #isDocument(node: ExpressionNode): boolean {
    const binding = node.kind === 'identifier' ? this.#prepared.identifiers.get(node) : undefined;
    return binding?.kind === 'variable' && binding.slot === this.#slot;
  }

  #expression(node: ExpressionNode): void {
    if (this.#isDocument(node)) {
      throw WHOLE;
    }
    if (node.kind === 'subquery') {
      const query = this.#prepared.queries.get(node.query);
      if (query === undefined) {
        throw WHOLE;
      }
      this.query(query);
    } else if (node.kind === 'member' && this.#isDocument(node.target)) {
      this.#read(node.name);
    } else if (node.kind === 'index' && this.#isDocument(node.target)) {
      const value = constantOf(node.index, { prepared: this.#prepared, parameters: this.#parameters })?.value;
      this.#read(typeof value === 'string' ? value : undefined);
    } else {
      for (const operand of operandsOf(node)) {
        this.#expression(operand);
      }
    }
  }
}

function namesReadBy(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
): readonly string[] | undefined {
  const reader = readerOf(prepared.root);
  const [source] = reader.sources;
  if (source?.input.kind !== 'container') {
    return undefined;
  }
  const collector = new NameCollector(
    prepared,
    parameters,
    isDocumentSource(source) ? source.slot : undefined,
    isFilterExact ? reader.where : undefined,
  );
  try {
    collector.query(prepared.root);
  } catch (error) {
    if (error === WHOLE) {
      return undefined;
    }
    throw error;
  }
  return [...collector.names];
}

/**
 * Finds out which properties of its documents a query reads, so that SQLite can cut these out of the text and the rest is never parsed.
 *
 * A document with only these properties gives the same rows. Undefined where the query needs whole documents, or so much of them that it does
 * not pay.
 *
 * @param isFilterExact whether WHERE is not evaluated again, so that what only it reads is not needed.
 */
export function compileProjection(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
  options: SqliteCompileOptions = {},
): SqliteProjection | undefined {
  const read = namesReadBy(prepared, parameters, isFilterExact);
  if (read === undefined || read.some((name) => options.computedProperties?.has(name) === true)) {
    return undefined;
  }
  const isSystem = (name: string): boolean => (SYSTEM_PROPERTY_NAMES as readonly string[]).includes(name);
  const names = read.filter((name) => !isSystem(name));
  const paths = names.map((name) => quotePath([name]));
  if (names.length > MAX_NAMES || paths.includes(undefined)) {
    return undefined;
  }
  const body = options.columns?.body ?? 'body';
  return {
    names,
    columns: paths.map((path) => `${body} -> ${path?.text}`),
    odd: `CASE WHEN ${isOdd(body).text} THEN ${body} END`,
    readsSystemProperties: read.some(isSystem),
  };
}
