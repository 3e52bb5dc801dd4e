import { PerigeeError } from '../core/errors.ts';
import type { ComputedProperty } from '../store/container-definition.ts';
import { lookupFunction } from './functions/function-table.ts';
import { prepareQuery } from './prepare-query.ts';
import type { PreparedQuery } from './prepared-query.ts';
import type { CallNode, ExpressionNode } from './syntax-nodes.ts';
import { operandsOf } from './walk.ts';

const MAX_COMPUTED_PROPERTIES = 20;

/** What the store itself puts into a document; no computed property may hide it. */
const SYSTEM_NAMES: ReadonlySet<string> = new Set(['id', '_rid', '_ts', '_self', '_etag', '_attachments', '_lsn']);

function refuse(name: string, reason: string, cause?: unknown): PerigeeError {
  return new PerigeeError('INVALID_CONTAINER', `Cannot take the computed property ${JSON.stringify(name)}: ${reason}`, { cause });
}

function checkName(name: unknown, seen: Set<string>): string {
  if (typeof name !== 'string' || name === '') {
    throw new PerigeeError('INVALID_CONTAINER', 'A computed property has a name, which is a text that is not empty.');
  }
  if (SYSTEM_NAMES.has(name)) {
    throw refuse(name, 'the name belongs to a system property.');
  }
  if (seen.has(name)) {
    throw refuse(name, 'another one has the same name.');
  }
  seen.add(name);
  return name;
}

/** The clause or form that a definition must not have; `undefined` where it has none. */
function forbiddenClause({ root, queries, parameters, udfs, node }: PreparedQuery): string | undefined {
  const [source] = root.sources;
  const found: readonly (readonly [boolean, string])[] = [
    [!root.hasSelectValue, 'a SELECT without VALUE'],
    [root.distinct, 'DISTINCT'],
    [root.top !== undefined, 'TOP'],
    [root.sources.length > 1, 'a JOIN'],
    [
      source !== undefined && (source.input.kind !== 'container' || source.input.path.length > 0 || source.iterate),
      'a FROM that is not the container',
    ],
    [root.where !== undefined, 'a WHERE clause'],
    [root.groupBy !== undefined, 'a GROUP BY clause'],
    [root.orderBy.length > 0, 'an ORDER BY clause'],
    [node.offset !== undefined, 'OFFSET LIMIT'],
    [queries.size > 1, 'a subquery'],
    [root.aggregates.length > 0, 'an aggregate'],
    [udfs.length > 0, 'a user-defined function'],
    [parameters.length > 0, 'a parameter'],
  ];
  return found.find(([isThere]) => isThere)?.[1];
}

function forbiddenCall(node: CallNode): string | undefined {
  const entry = lookupFunction(node.name.toUpperCase());
  if (entry === undefined || node.udf) {
    return undefined;
  }
  if (!entry.deterministic || entry.bind !== undefined) {
    return `${entry.name}, whose result is not the same each time`;
  }
  return entry.family === 'spatial' ? `the spatial function ${entry.name}` : undefined;
}

function forbiddenFunction(start: ExpressionNode): string | undefined {
  const pending: ExpressionNode[] = [start];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const forbidden = node.kind === 'call' ? forbiddenCall(node) : undefined;
    if (forbidden !== undefined) {
      return forbidden;
    }
    for (const operand of operandsOf(node)) {
      pending.push(operand);
    }
  }
  return undefined;
}

function prepare(name: string, query: unknown): PreparedQuery {
  if (typeof query !== 'string') {
    throw refuse(name, 'it has no query. Write one such as SELECT VALUE LOWER(c.name) FROM c.');
  }
  try {
    return prepareQuery(query);
  } catch (cause) {
    throw refuse(name, `its query does not read. ${cause instanceof Error ? cause.message : ''}`.trim(), cause);
  }
}

/**
 * Checks the computed properties of a container by the rules of Cosmos DB: at most 20, each a deterministic value of one document, written as
 * `SELECT VALUE … FROM c` and nothing else.
 *
 * @throws INVALID_CONTAINER naming the property and what is wrong
 */
export function checkComputedProperties(properties: readonly ComputedProperty[]): void {
  if (properties.length > MAX_COMPUTED_PROPERTIES) {
    throw new PerigeeError('INVALID_CONTAINER', `A container has at most ${MAX_COMPUTED_PROPERTIES} computed properties.`);
  }
  const seen = new Set<string>();
  for (const property of properties) {
    const name = checkName(property.name, seen);
    const prepared = prepare(name, property.query);
    if (prepared.root.sources.length === 0) {
      throw refuse(name, 'its query has no FROM clause. Write it as SELECT VALUE … FROM c.');
    }
    const { select } = prepared.node;
    const forbidden = forbiddenClause(prepared) ?? (select.kind === 'select-value' ? forbiddenFunction(select.expression) : undefined);
    if (forbidden !== undefined) {
      throw refuse(name, `its query must be SELECT VALUE with one deterministic expression over the document, but has ${forbidden}.`);
    }
  }
}
