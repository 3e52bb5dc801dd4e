import { throwIfAborted } from '../../../core/errors.ts';
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '../../../core/json.ts';
import type { IndexColumn } from '../../../query/access/index-definition.ts';
import { rawSql, type Sql } from '../../../query/compile/common/sql-fragment.ts';
import { isBindableText } from '../../../query/compile/common/sql-value.ts';
import { decodePosition, encodePosition, tokenScope, type QueryPosition } from '../../../query/executor/continuation-token.ts';
import { measureValue } from '../../../query/executor/measure-value.ts';
import type { OrderedPlace } from '../../../query/executor/ordered-rows.ts';
import { PAGE_BYTES } from '../../../query/executor/page-collector.ts';
import { counterFrom, positionBehind } from '../../../query/executor/resume-order.ts';
import type { PreparedQuery } from '../../../query/prepared-query.ts';
import { queryCounts } from '../../../query/query-counts.ts';
import type { QueryRequest } from '../../../store/store-hooks.ts';
import { BODY_TEXT, isFoldable, tableNames } from '../container-statements.ts';
import { all, type Program, type SqliteRow } from '../driver.ts';
import type { Read } from '../scan-slices.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { directShape, type DirectShape, type DirectStatements, type Operand } from './direct-shape.ts';
import { indexExpressions, RANKS } from './index-expressions.ts';
import { allOf, rankIs, rankOf } from './index-seek.ts';

/** A page of documents. */
export interface DirectPage {
  readonly items: readonly JsonObject[];
  readonly bytes: number;
  readonly looked: number;
  readonly continuation: string | undefined;
  /** The index that led to them. */
  readonly index: string;
}

type Scalar = null | boolean | number | string;

/** The value of an operand as the index has it; undefined for one that it does not tell. */
function valueOf(operand: Operand, { parameters }: QueryRequest): Scalar | undefined {
  const value = 'value' in operand ? operand.value : parameters.findLast(({ name }) => name === operand.parameter)?.value;
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)) ? (value === 0 ? 0 : value) : undefined;
    case 'string':
      return isBindableText(value) ? value : undefined;
    case 'boolean':
      return value;
    default:
      return value === null ? null : undefined;
  }
}

function hasValue(rank: number): boolean {
  return rank === RANKS.number || rank === RANKS.string;
}

/** `ranks` are those of the values of `equal`, then of `ends`. */
function statementsFor(container: SqliteContainer, shape: DirectShape, ranks: readonly number[]): DirectStatements | 'nothing' {
  const { documents } = tableNames(container.number);
  const columns = indexExpressions(shape.index.columns) ?? [];
  const pieces: Sql[] = [];
  for (const [at, column] of columns.slice(0, shape.equal.length).entries()) {
    const rank = ranks[at] as number;
    const isRank = rankIs(column, rank);
    if (isRank === 'none') {
      return 'nothing';
    }
    pieces.push(...(isRank === undefined ? [] : [isRank]), rawSql(`${column.value} ${hasValue(rank) ? '= ?' : 'IS NULL'}`));
  }
  const terms: string[] = [];
  for (const [at, { rank, value }] of columns.slice(shape.equal.length).entries()) {
    const turned = shape.order[at]?.descending === true ? ' DESC' : '';
    const pinned = at === 0 ? ranks[shape.equal.length] : undefined;
    if (pinned !== undefined) {
      const isRank = rankIs(columns[shape.equal.length + at] as (typeof columns)[number], pinned);
      if (isRank === 'none' || !hasValue(pinned)) {
        return 'nothing';
      }
      pieces.push(...(isRank === undefined ? [] : [isRank]), ...shape.ends.map(({ operator }) => rawSql(`${value} ${operator} ?`)));
    } else if (rank !== undefined) {
      pieces.push(...(at === 0 ? [rawSql(`${rank} < ${RANKS.odd}`)] : []));
      terms.push(`${rank}${turned}`);
    }
    terms.push(`${value}${turned}`);
  }
  const from = `FROM ${documents} INDEXED BY ${shape.index.name}`;
  const behind = shape.order.length === 0 ? ' AND ordinal > ?' : '';
  const rank = columns[0]?.rank;
  return {
    rows: `SELECT ordinal, position, ts, expires_at, CASE WHEN ${isFoldable('body')} THEN ${BODY_TEXT} END AS body ${from} WHERE ${allOf(pieces).text}${behind} ORDER BY ${[...terms, 'ordinal'].join(', ')} LIMIT ?+0`,
    odd: rank === undefined ? undefined : `SELECT ordinal ${from} WHERE ${rank} = ${RANKS.odd} LIMIT 1`,
  };
}

interface DirectRow extends SqliteRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  /** NULL where the document is too long to be read together with others. */
  readonly body: string | null;
}

/** Rows of one statement. */
const MAX_ROWS = 256;

/** A query that is ready to run. */
interface DirectRun {
  readonly shape: DirectShape;
  readonly statements: DirectStatements;
  /** The values of the placeholders. */
  readonly bound: readonly (number | string)[];
}

function prepareRun(container: SqliteContainer, prepared: PreparedQuery, request: QueryRequest): DirectRun | undefined {
  if (request.partitionKey !== undefined || request.range !== undefined || container.indexes.isStale) {
    return undefined;
  }
  const shape = directShape(container, prepared);
  if (shape === undefined) {
    return undefined;
  }
  const ranks: number[] = [];
  const bound: (number | string)[] = [];
  for (const operand of [...shape.equal, ...shape.ends.map((end) => end.operand)]) {
    const value = valueOf(operand, request);
    if (value === undefined) {
      return undefined;
    }
    ranks.push(rankOf(value));
    if (typeof value === 'number' || typeof value === 'string') {
      bound.push(value);
    }
  }
  const endRanks = ranks.slice(shape.equal.length);
  if (endRanks.some((rank) => rank !== endRanks[0])) {
    return undefined;
  }
  const key = ranks.join();
  const statements = shape.statements.get(key) ?? statementsFor(container, shape, ranks);
  shape.statements.set(key, statements);
  return statements === 'nothing' ? undefined : { shape, statements, bound };
}

/** The rows of one statement, as they are stored; undefined where there are odd documents. */
function readRows(run: DirectRun, looksForOdd: boolean, values: readonly number[]): Program<readonly DirectRow[] | undefined> {
  const { statements, bound } = run;
  return (function* () {
    const odd = looksForOdd && statements.odd !== undefined ? yield* all(statements.odd) : [];
    return odd.length > 0 ? undefined : yield* all<DirectRow>(statements.rows, ...bound, ...values);
  })();
}

function keyAt(document: JsonObject, { path }: IndexColumn): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of path) {
    value = isJsonObject(value) ? getOwn(value, name) : undefined;
  }
  return value;
}

/** Collects the items of a page. */
class DirectItems {
  readonly items: JsonObject[] = [];
  bytes = 0;
  looked = 0;

  isFull(capacity: number): boolean {
    return this.items.length >= capacity || this.bytes >= PAGE_BYTES;
  }

  add(document: JsonObject): void {
    this.items.push(document);
    this.bytes += measureValue(document);
  }

  page(run: DirectRun, prepared: PreparedQuery, request: QueryRequest, next: QueryPosition | undefined): DirectPage {
    const { items, bytes, looked } = this;
    const continuation = next === undefined ? undefined : encodePosition(tokenScope(prepared, request.parameters, request.range), next);
    return { items, bytes, looked, continuation, index: run.shape.index.name };
  }
}

/** The first page of a query with ORDER BY; later ones start in the middle of the index, and are left to the walk. */
async function readOrdered(
  container: SqliteContainer,
  prepared: PreparedQuery,
  request: QueryRequest,
  run: DirectRun,
  read: Read,
): Promise<DirectPage | undefined> {
  const { top, limit } = queryCounts(prepared, request.parameters);
  const wanted = top ?? limit ?? Number.POSITIVE_INFINITY;
  const capacity = Math.min(wanted, request.maxItemCount);
  const count = capacity + 1;
  if (request.continuation !== undefined || wanted === 0 || count > MAX_ROWS) {
    return undefined;
  }
  const { order } = run.shape;
  const rows = await read(() => readRows(run, true, [count]));
  const now = container.nowSeconds();
  const found = new DirectItems();
  const counter = counterFrom(undefined, undefined);
  let last: OrderedPlace | undefined;
  for (const { ordinal, position, ts, expires_at: expiresAt, body } of rows ?? []) {
    if (expiresAt !== null && expiresAt <= now) {
      return undefined;
    }
    if (found.isFull(capacity)) {
      break;
    }
    if (body === null) {
      return undefined;
    }
    const document = container.documentOf(body, ordinal, position, ts);
    const keys = order.map((column) => keyAt(document, column));
    // Arrays and objects have an order that SQLite lacks.
    if (keys.some((key) => typeof key === 'object' && key !== null)) {
      return undefined;
    }
    found.add(document);
    last = { keys, ordinal, row: 0 };
    counter.pass(keys);
  }
  if (rows === undefined) {
    return undefined;
  }
  found.looked = rows.length;
  const taken = found.items.length;
  if (last === undefined || rows.length <= taken || taken >= wanted) {
    return found.page(run, prepared, request, undefined);
  }
  return found.page(run, prepared, request, positionBehind(last, taken, counter));
}

/** A page of a query without ORDER BY, from any place on. */
async function readInCreationOrder(
  container: SqliteContainer,
  prepared: PreparedQuery,
  request: QueryRequest,
  run: DirectRun,
  read: Read,
): Promise<DirectPage | undefined> {
  let behind = 0;
  if (request.continuation !== undefined) {
    const position = decodePosition(tokenScope(prepared, request.parameters, request.range), request.continuation);
    if (position.kind !== 'stream' || position.rows >= 0) {
      return undefined;
    }
    behind = position.ordinal;
  }
  const { maxItemCount, signal } = request;
  const found = new DirectItems();
  for (let isFirst = true; ; isFirst = false) {
    const count = Math.min(maxItemCount - found.items.length + 1, MAX_ROWS);
    const rows = await read(() => readRows(run, isFirst, [behind, count]));
    if (rows === undefined) {
      return undefined;
    }
    const now = container.nowSeconds();
    for (const { ordinal, position, ts, expires_at: expiresAt, body } of rows) {
      if (expiresAt === null || expiresAt > now) {
        if (found.isFull(maxItemCount)) {
          return found.page(run, prepared, request, { kind: 'stream', ordinal: behind, rows: -1, skip: 0, taken: found.items.length });
        }
        if (body === null) {
          return undefined;
        }
        found.add(container.documentOf(body, ordinal, position, ts));
      }
      found.looked += 1;
      behind = ordinal;
    }
    if (rows.length < count) {
      return found.page(run, prepared, request, undefined);
    }
    await container.database.runtime.yieldTask();
    throwIfAborted(signal);
  }
}

/** Reads a page of a query that an index answers by itself; undefined where it has to be run in another way. */
export async function runDirectQuery(
  container: SqliteContainer,
  prepared: PreparedQuery,
  request: QueryRequest,
  read: Read,
): Promise<DirectPage | undefined> {
  const run = prepareRun(container, prepared, request);
  if (run === undefined || (run.shape.order.length === 0 && (prepared.root.top ?? prepared.root.limit) !== undefined)) {
    return undefined;
  }
  return run.shape.order.length === 0
    ? readInCreationOrder(container, prepared, request, run, read)
    : readOrdered(container, prepared, request, run, read);
}
