import { throwIfAborted } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { OrderedBatch, OrderedScan, SourceBatch, SourceRow } from '../../../query/executor/query-source.ts';
import type { PgRow } from '../postgres-database.ts';
import { mayHaveOdd, namedStatement, piece, statementOf, value, type Reading } from '../scan-scope.ts';
import { nextRows, shortColumns, type Run, type ScannedRow } from '../scan-slices.ts';
import {
  isSameGroup,
  isTold,
  placeOf,
  placeOfKeys,
  stretchesBehind,
  walkOrder,
  wholeStretch,
  type OrderedWalk,
  type WalkPlace,
  type WalkStretch,
} from './ordered-walk.ts';

/** A row of a walk; `body` is NULL where it is too long to be read together with others. */
interface WalkedRow extends PgRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body: string | null;
  readonly odd?: boolean | null | undefined;
}

const LEAST_ROWS = 16;
const MOST_FIRST_ROWS = 512;

function stretchStatement(
  { documents, condition, odd }: Reading,
  stretch: WalkStretch,
  rows: number,
  asksOdd: boolean,
): ReturnType<typeof piece> {
  const isOdd = asksOdd && odd !== undefined ? `, ${mayHaveOdd(documents)}` : '';
  const behind = stretch.condition === undefined ? '' : piece` AND ${stretch.condition}`;
  return piece`SELECT ${shortColumns(rows)}${isOdd} FROM ${documents} WHERE ${condition}${behind} ORDER BY ${stretch.order} LIMIT ${String(rows)}`;
}

/** The statement with which a walk begins. */
export function walkStatement(walk: OrderedWalk, reading: Reading, rows: number): ReturnType<typeof piece> {
  return stretchStatement(reading, wholeStretch(walk), rows, true);
}

async function hasOdd({ documents, odd }: Reading, run: Run): Promise<boolean> {
  return odd !== undefined && (await run(statementOf(piece`SELECT FROM ${documents} WHERE ${odd} LIMIT 1`))).length > 0;
}

/** The text of a long document; undefined where it was written since its place was read. */
async function longText({ documents }: Reading, { ordinal, position }: WalkedRow, run: Run): Promise<string | undefined> {
  const statement = piece`SELECT body FROM ${documents} WHERE ordinal = ${value('bigint', ordinal)} AND position = ${value('bigint', position)}`;
  return (await run<{ body: string }>(statementOf(statement)))[0]?.body;
}

/**
 * Walks an index in the order of the query, from the document with some sort keys and an ordinal on, itself included.
 *
 * It gives up, having told the truth so far, where the index cannot tell: on odd documents, on arrays and objects, and on texts that are longer than
 * what the index has of them.
 */
export async function* walkInOrder(
  walk: OrderedWalk,
  reading: Reading,
  { from, expectedRows, signal }: OrderedScan,
  documentOf: (row: ScannedRow) => JsonObject,
  run: Run,
): AsyncGenerator<OrderedBatch> {
  const start = from === undefined ? undefined : placeOfKeys(walk, from.keys, from.ordinal + (walk.tiesDescend ? 1 : -1));
  if (from !== undefined && start === undefined) {
    yield 'gave-up';
    return;
  }
  let stretches: readonly WalkStretch[] = start === undefined ? [wholeStretch(walk)] : stretchesBehind(walk, start);
  let limit = Math.max(LEAST_ROWS, Math.min(expectedRows, MOST_FIRST_ROWS));
  /** One that is written again may be met a second time, further on. */
  const given = new Set<number>();
  for (let isFirst = true; stretches.length > 0; isFirst = false) {
    const [stretch, ...rest] = stretches as readonly [WalkStretch, ...WalkStretch[]];
    const found = await run<WalkedRow>(namedStatement(stretchStatement(reading, stretch, limit, isFirst), reading));
    throwIfAborted(signal);
    if (isFirst && found[0]?.odd !== false && (await hasOdd(reading, run))) {
      yield 'gave-up';
      return;
    }
    let rows: SourceRow[] = [];
    let bytes = 0;
    let all = 0;
    let last: WalkPlace | undefined;
    for (const row of found) {
      if (row.body === null && rows.length > 0) {
        yield { rows, looked: rows.length, bytes };
        [rows, all, bytes] = [[], all + bytes, 0];
      }
      const body = row.body ?? (await longText(reading, row, run));
      const document = body === undefined ? undefined : documentOf({ ...row, body });
      last = document === undefined ? undefined : placeOf(walk, document, row.ordinal);
      if (body === undefined || document === undefined || last === undefined || !isTold(last)) {
        yield { rows, looked: rows.length, bytes };
        yield 'gave-up';
        return;
      }
      if (!given.has(row.ordinal)) {
        given.add(row.ordinal);
        rows.push({ ordinal: row.ordinal, document });
      }
      bytes += body.length;
    }
    yield { rows, looked: rows.length, bytes };
    stretches = found.length < limit || last === undefined ? rest : stretchesBehind(walk, last);
    limit = nextRows(limit, { count: found.length, characters: all + bytes });
  }
}

/** Rows beyond the number asked for, so that a few whose order is not told do not cost another way. */
const MORE_ROWS = 64;

/**
 * The first documents in the order of a walk, in creation order: more where the order of the last ones is not told, and all odd ones. Undefined where
 * these are too many.
 */
export async function firstByIndex(
  walk: OrderedWalk,
  { documents, condition, odd }: Reading,
  count: number,
  documentOf: (row: ScannedRow) => SourceRow | undefined,
  run: Run,
): Promise<Pick<SourceBatch, 'rows' | 'looked' | 'bytes'> | undefined> {
  const limit = count + MORE_ROWS;
  const columns = 'ordinal, position, ts, body';
  const told = piece`SELECT ${columns}, false AS odd FROM ${documents} WHERE ${condition} ORDER BY ${walkOrder(walk)} LIMIT ${String(limit)}`;
  const rows = await run<ScannedRow>(statementOf(told));
  const others =
    odd === undefined
      ? []
      : await run<ScannedRow>(statementOf(piece`SELECT ${columns} FROM ${documents} WHERE ${odd} LIMIT ${String(MORE_ROWS + 1)}`));
  if (others.length > MORE_ROWS) {
    return undefined;
  }
  const parsed = rows.map((row) => ({ row, source: documentOf(row) as SourceRow }));
  const edge = parsed[count - 1];
  let end = parsed.length;
  if (rows.length === limit && edge !== undefined) {
    const place = placeOf(walk, edge.source.document, edge.row.ordinal);
    end = count;
    if (!isTold(place)) {
      const behind = parsed.findIndex(
        ({ row, source }, at) => at >= count && !isSameGroup(place, placeOf(walk, source.document, row.ordinal)),
      );
      if (behind === -1) {
        return undefined;
      }
      end = behind;
    }
  }
  const first = [...parsed.slice(0, end).map(({ source }) => source), ...others.map(documentOf).filter((row) => row !== undefined)];
  const bytes = [...rows, ...others].reduce((sum, { body }) => sum + body.length, 0);
  return { rows: first.sort((left, right) => left.ordinal - right.ordinal), looked: first.length, bytes };
}
