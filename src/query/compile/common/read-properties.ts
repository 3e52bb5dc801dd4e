import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from '../../prepared-query.ts';
import type { ExpressionNode, QueryParameter } from '../../syntax-nodes.ts';
import { expressionsOf, operandsOf } from '../../walk.ts';
import { constantOf } from './constant-folder.ts';
import { isDocumentSource, readerOf } from './query-shape.ts';

/** Beyond so many it is faster to parse the document. */
const MAX_PATHS = 6;

/** Thrown where a query reads a document as a whole; ends the walk. */
const WHOLE = Symbol('the whole document');

type Path = readonly string[];

/** Collects the paths that are read of a document's variable. */
class PathCollector {
  readonly #paths = new Map<string, Path>();
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

  /** Those that are not a part of another. */
  get paths(): readonly Path[] {
    return [...this.#paths.values()].filter(
      (path) => !path.some((_, length) => length > 0 && this.#paths.has(keyOf(path.slice(0, length)))),
    );
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
      this.#read(input.path);
    }
  }

  /** A path is cut where the first element of an array is picked. */
  #read(steps: readonly (string | number | undefined)[]): void {
    const end = steps.findIndex((step) => typeof step !== 'string');
    const path = (end < 0 ? steps : steps.slice(0, end)) as Path;
    if (path.length === 0) {
      throw WHOLE;
    }
    this.#paths.set(keyOf(path), path);
  }

  #isDocument(node: ExpressionNode): boolean {
    const binding = node.kind === 'identifier' ? this.#prepared.identifiers.get(node) : undefined;
    return binding?.kind === 'variable' && binding.slot === this.#slot;
  }

  #expression(node: ExpressionNode): void {
    if (node.kind === 'subquery') {
      const query = this.#prepared.queries.get(node.query);
      if (query === undefined) {
        throw WHOLE;
      }
      this.query(query);
      return;
    }
    const steps: (string | number | undefined)[] = [];
    let rest: ExpressionNode = node;
    while (rest.kind === 'member' || rest.kind === 'index') {
      if (rest.kind === 'index') {
        this.#expression(rest.index);
      }
      steps.unshift(rest.kind === 'member' ? rest.name : this.#constantStep(rest.index));
      rest = rest.target;
    }
    if (this.#isDocument(rest)) {
      this.#read(steps);
      return;
    }
    for (const operand of operandsOf(rest)) {
      this.#expression(operand);
    }
  }

  #constantStep(node: ExpressionNode): string | undefined {
    const value = constantOf(node, { prepared: this.#prepared, parameters: this.#parameters })?.value;
    return typeof value === 'string' ? value : undefined;
  }
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

function pathsReadBy(prepared: PreparedQuery, parameters: readonly QueryParameter[], isFilterExact: boolean): readonly Path[] | undefined {
  const reader = readerOf(prepared.root);
  const [source] = reader.sources;
  if (source?.input.kind !== 'container') {
    return undefined;
  }
  const collector = new PathCollector(
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
  return collector.paths;
}

/** The properties of its documents that a query reads. */
export interface ReadProperties {
  /** Paths of names into the stored document, none a part of another. */
  readonly paths: readonly (readonly string[])[];
  /** Whether the query reads `_rid`, `_etag`, `_ts` and the like. */
  readonly readsSystemProperties: boolean;
}

/**
 * Finds out which properties of its documents a query reads, so that an engine can cut these out and the rest is never parsed.
 *
 * A document with only what stands at these paths gives the same rows. Undefined where the query needs whole documents, or so much of them that it does
 * not pay.
 *
 * @param isFilterExact whether WHERE is not evaluated again, so that what only it reads is not needed.
 */
export function propertiesReadBy(
  prepared: PreparedQuery,
  parameters: readonly QueryParameter[],
  isFilterExact: boolean,
  computedProperties: ReadonlySet<string> = new Set(),
): ReadProperties | undefined {
  const read = pathsReadBy(prepared, parameters, isFilterExact);
  if (read === undefined || read.some(([name]) => computedProperties.has(name as string))) {
    return undefined;
  }
  const isSystem = ([name]: Path): boolean => (SYSTEM_PROPERTY_NAMES as readonly unknown[]).includes(name);
  const paths = read.filter((path) => !isSystem(path));
  return paths.length > MAX_PATHS ? undefined : { paths, readsSystemProperties: read.some(isSystem) };
}
