import { throwIfAborted } from '../../core/errors.ts';
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { IndexColumn } from '../../query/access/index-definition.ts';
import { isBindableText } from '../../query/compile/common/sql-value.ts';
import { decodePosition, encodePosition, tokenScope, type QueryPosition } from '../../query/executor/continuation-token.ts';
import { measureValue } from '../../query/executor/measure-value.ts';
import type { OrderedPlace } from '../../query/executor/ordered-rows.ts';
import { PAGE_BYTES } from '../../query/executor/page-collector.ts';
import { counterFrom, positionBehind } from '../../query/executor/resume-order.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import { queryCounts } from '../../query/query-counts.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { DirectShape, Operand } from './direct-shape.ts';

/** A page of documents. */
export interface DirectPage {
  readonly items: readonly JsonObject[];
  readonly bytes: number;
  readonly looked: number;
  readonly continuation: string | undefined;
  /** The index that led to them. */
  readonly index: string;
}

/** A value that an index tells of, but undefined. */
export type Scalar = null | boolean | number | string;

/** A document's row. */
export interface DirectRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  /** `null` where the document is too long to be read together with others. */
  readonly body: string | null;
}

/** What an engine has to do for a direct query. */
export interface DirectReader {
  readonly runtime: Runtime;
  nowSeconds(): number;
  documentOf(body: string, ordinal: number, position: number, ts: number): JsonObject;
  /** Reads up to `count` rows, in the order of the query, or behind an ordinal; undefined where there are odd documents, if it `looksForOdd`. */
  readRows(looksForOdd: boolean, behind: number | undefined, count: number): Promise<readonly DirectRow[] | undefined>;
  /** Whether the index tells the place of a value in the order. */
  isTold(key: JsonValue | undefined): boolean;
}

/** The value of an operand as an index has it; undefined for one that it does not tell. */
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

/** The values of a direct query, those of `equal` first, and their types as an engine tells these apart. */
export interface DirectValues<Type> {
  readonly values: readonly Scalar[];
  readonly types: readonly Type[];
  /** Those that are bound to placeholders. */
  readonly bound: readonly (number | string)[];
}

/** The values of a direct query; undefined where an index does not tell one of them, or the ends of the range have not one type. */
export function directValues<Type>(
  { equal, ends }: DirectShape,
  request: QueryRequest,
  typeOf: (value: Scalar) => Type,
): DirectValues<Type> | undefined {
  const values: Scalar[] = [];
  for (const operand of [...equal, ...ends.map((end) => end.operand)]) {
    const value = valueOf(operand, request);
    if (value === undefined) {
      return undefined;
    }
    values.push(value);
  }
  const types = values.map(typeOf);
  const endTypes = types.slice(equal.length);
  return endTypes.some((type) => type !== endTypes[0])
    ? undefined
    : { values, types, bound: values.filter((value) => typeof value === 'number' || typeof value === 'string') };
}

/** Rows of one statement. */
const MAX_ROWS = 256;

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

  page({ index }: DirectShape, prepared: PreparedQuery, request: QueryRequest, next: QueryPosition | undefined): DirectPage {
    const { items, bytes, looked } = this;
    const continuation = next === undefined ? undefined : encodePosition(tokenScope(prepared, request.parameters, request.range), next);
    return { items, bytes, looked, continuation, index: index.name };
  }
}

/** The first page of a query with ORDER BY; later ones start in the middle of the index, and are left to the walk. */
async function readOrdered(
  shape: DirectShape,
  prepared: PreparedQuery,
  request: QueryRequest,
  reader: DirectReader,
): Promise<DirectPage | undefined> {
  const { top, limit } = queryCounts(prepared, request.parameters);
  const wanted = top ?? limit ?? Number.POSITIVE_INFINITY;
  const capacity = Math.min(wanted, request.maxItemCount);
  const count = capacity + 1;
  if (request.continuation !== undefined || wanted === 0 || count > MAX_ROWS) {
    return undefined;
  }
  const { order } = shape;
  const rows = await reader.readRows(true, undefined, count);
  const now = reader.nowSeconds();
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
    const document = reader.documentOf(body, ordinal, position, ts);
    const keys = order.map((column) => keyAt(document, column));
    if (!keys.every((key) => reader.isTold(key))) {
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
    return found.page(shape, prepared, request, undefined);
  }
  return found.page(shape, prepared, request, positionBehind(last, taken, counter));
}

/** A page of a query without ORDER BY, from any place on. */
async function readInCreationOrder(
  shape: DirectShape,
  prepared: PreparedQuery,
  request: QueryRequest,
  reader: DirectReader,
): Promise<DirectPage | undefined> {
  const { top, limit } = queryCounts(prepared, request.parameters);
  let left = top ?? limit ?? Number.POSITIVE_INFINITY;
  let behind = 0;
  let before = 0;
  if (request.continuation !== undefined) {
    const position = decodePosition(tokenScope(prepared, request.parameters, request.range), request.continuation);
    if (position.kind !== 'stream' || position.rows >= 0) {
      return undefined;
    }
    behind = position.ordinal;
    before = position.taken;
    left -= before;
  }
  if (left <= 0) {
    return undefined;
  }
  const { maxItemCount, signal } = request;
  const found = new DirectItems();
  for (let isFirst = true; ; isFirst = false) {
    const taken = found.items.length;
    // One more than the page has room for says whether there is another page; behind the last one that is wanted there is none.
    const count = Math.min(left - taken, maxItemCount - taken + 1, MAX_ROWS);
    const rows = await reader.readRows(isFirst, behind, count);
    if (rows === undefined) {
      return undefined;
    }
    const now = reader.nowSeconds();
    for (const { ordinal, position, ts, expires_at: expiresAt, body } of rows) {
      if (expiresAt === null || expiresAt > now) {
        if (found.isFull(maxItemCount)) {
          const next = { kind: 'stream', ordinal: behind, rows: -1, skip: 0, taken: before + found.items.length } as const;
          return found.page(shape, prepared, request, next);
        }
        if (body === null) {
          return undefined;
        }
        found.add(reader.documentOf(body, ordinal, position, ts));
      }
      found.looked += 1;
      behind = ordinal;
    }
    if (rows.length < count || found.items.length >= left) {
      return found.page(shape, prepared, request, undefined);
    }
    await reader.runtime.yieldTask();
    throwIfAborted(signal);
  }
}

/** Reads a page of a query that an index answers by itself; undefined where it has to be run in another way. */
export async function readDirect(
  shape: DirectShape,
  prepared: PreparedQuery,
  request: QueryRequest,
  reader: DirectReader,
): Promise<DirectPage | undefined> {
  return (shape.order.length === 0 ? readInCreationOrder : readOrdered)(shape, prepared, request, reader);
}
