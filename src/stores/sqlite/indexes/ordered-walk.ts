import { throwIfAborted } from '../../../core/errors.ts';
import type { JsonValue } from '../../../core/json.ts';
import type { AccessPath, IndexValue } from '../../../query/access/access-path.ts';
import { rawSql, sql, type Sql } from '../../../query/compile/common/sql-fragment.ts';
import { isBindableText } from '../../../query/compile/common/sql-value.ts';
import { BODY_TEXT, isFoldable, tableNames } from '../container-statements.ts';
import { all, get, type Program, type SqliteRow, type SqliteValue } from '../driver.ts';
import type { SqlPiece } from '../scan-statements.ts';
import type { Read } from '../scan-slices.ts';
import { SliceSize } from '../slice-size.ts';
import type { SqliteContainer } from '../sqlite-container.ts';
import { RANKS, type ColumnExpressions } from './index-expressions.ts';
import { allOf, boundScalar, rankOf, seekConditions } from './index-seek.ts';

/** One expression by which the entries are sorted. */
interface Term {
  readonly text: string;
  readonly isRank: boolean;
  /** Which way the walk goes through its values. */
  readonly descending: boolean;
}

/** Where the walk is: the values of the terms, and the ordinal. */
interface Place {
  readonly values: readonly SqliteValue[];
  readonly ordinal: number;
}

/** Stands for the text of a document that is too long to be read together with others. */
const LONG = '';

/** A row of a walk; `body` is NULL for a document that does not pass. */
interface WalkedRow extends SqliteRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly body: string | null;
}

/** A walk over an index in the order of a query, ready to be run from any place. */
export interface OrderedWalk {
  readonly access: AccessPath;
  readonly terms: readonly Term[];
  /** Holds for all entries of the walk; undefined where there is none. */
  readonly base: Sql | undefined;
  /** What else a document has to satisfy, as ` AND …`. */
  readonly where: SqlPiece;
  /** Ranks of the first column, by which odd documents are found; undefined where none can be. */
  readonly oddRank: string | undefined;
  /** Whether the newest of what sorts alike comes first. */
  readonly tiesDescend: boolean;
}

/** Documents in the order of the query; an entry without `body` leads to none that passes. `'gave-up'`: another way has to be found. */
export type WalkedBatch = { readonly rows: readonly WalkedRow[]; readonly looked: number } | 'gave-up';

/** Prepares a walk; undefined where the values looked for cannot be told in SQL. */
export function orderedWalk(
  access: AccessPath,
  columns: readonly ColumnExpressions[],
  where: SqlPiece,
  tiesDescend: boolean,
): OrderedWalk | undefined {
  const conditions = seekConditions(access, columns);
  if (conditions === undefined || conditions.length > 1) {
    return undefined;
  }
  const first = access.equal.length;
  const terms = columns.slice(first).flatMap(({ rank, value }, at): readonly Term[] => {
    const descending = (access.index.columns[first + at]?.descending === true) !== (access.order === 'backward');
    const isPinned = rank === undefined || (at === 0 && access.range !== undefined);
    const valueTerm = { text: value, isRank: false, descending };
    return isPinned ? [valueTerm] : [{ text: rank, isRank: true, descending }, valueTerm];
  });
  return { access, terms, base: conditions[0], where, oddRank: columns[0]?.rank, tiesDescend };
}

function isAt({ text }: Term, value: SqliteValue): Sql {
  return typeof value === 'number' || typeof value === 'string' ? sql`${rawSql(text)} = ${boundScalar(value)}` : rawSql(`${text} IS NULL`);
}

/** The entries behind a value of a term; undefined where there are none. */
function isBehind({ text, descending, isRank }: Term, value: SqliteValue): Sql | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') {
    return undefined;
  }
  const behind = sql`${rawSql(text)} ${rawSql(descending ? '<' : '>')} ${isRank ? rawSql(String(value)) : boundScalar(value)}`;
  return isRank && !descending ? sql`${behind} AND ${rawSql(`${text} < ${RANKS.odd}`)}` : behind;
}

/** One stretch of the index: its entries and the terms that are left to sort by. */
interface Stretch {
  readonly condition: Sql;
  readonly terms: readonly Term[];
  /** Whether ordinals descend among equal entries. */
  readonly isTurned: boolean;
}

function wholeStretch(terms: readonly Term[], isTurned: boolean): Stretch {
  const [first] = terms;
  return { condition: first?.isRank === true ? rawSql(`${first.text} < ${RANKS.odd}`) : rawSql('1'), terms, isTurned };
}

/** The entries equal to those of a place, behind its ordinal. */
function equalStretch({ terms, tiesDescend }: OrderedWalk, { values, ordinal }: Place): Stretch {
  const equal = terms.map((term, at) => isAt(term, values[at] as SqliteValue));
  const behind = { text: `ordinal ${tiesDescend ? '<' : '>'} ?`, values: [ordinal] };
  return { condition: allOf([...equal, behind]), terms: [], isTurned: tiesDescend };
}

/** The entries that differ from those of a place and come behind, as stretches one after the other. */
function stretchesBehind(terms: readonly Term[], { values }: Place, isTurned: boolean): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = terms.length - 1; at >= 0; at -= 1) {
    const behind = isBehind(terms[at] as Term, values[at] as SqliteValue);
    if (behind !== undefined) {
      const equal = terms.slice(0, at).map((term, before) => isAt(term, values[before] as SqliteValue));
      stretches.push({ condition: allOf([...equal, behind]), terms: terms.slice(at), isTurned });
    }
  }
  return stretches;
}

/** The statement that reads entries of a stretch. */
function stretchSql(container: SqliteContainer, walk: OrderedWalk, base: Sql, { condition, terms, isTurned }: Stretch): string {
  const { documents } = tableNames(container.number);
  const keys = walk.terms.map(({ text }, at) => `, ${text} AS t${at}`).join('');
  const columns = `ordinal, position, ts, CASE WHEN (expires_at IS NULL OR expires_at > ?)${walk.where.sql} THEN CASE WHEN ${isFoldable('body')} THEN ${BODY_TEXT} ELSE '${LONG}' END END AS body${keys}`;
  const order = [...terms.map(({ text, descending }) => `${text}${descending ? ' DESC' : ''}`), `ordinal${isTurned ? ' DESC' : ''}`];
  const from = `FROM ${documents} INDEXED BY ${walk.access.index.name} WHERE ${base.text} AND ${condition.text}`;
  // `LIMIT ?` alone would make SQLite prepare the statement again for each value.
  return `SELECT ${columns} ${from} ORDER BY ${order.join(', ')} LIMIT ?+0`;
}

/** The statement with which a walk begins; undefined where it has no entries. */
export function walkStatement(container: SqliteContainer, walk: OrderedWalk): string | undefined {
  const stretch = wholeStretch(walk.terms, walk.access.order === 'backward');
  return walk.base === undefined ? undefined : stretchSql(container, walk, walk.base, stretch);
}

function* readStretches(
  container: SqliteContainer,
  walk: OrderedWalk,
  stretches: readonly Stretch[],
  size: number,
): Program<readonly WalkedRow[]> {
  const { base } = walk;
  if (base === undefined) {
    return [];
  }
  let found: readonly WalkedRow[] = [];
  for (const stretch of stretches) {
    const rows = yield* all<WalkedRow>(
      stretchSql(container, walk, base, stretch),
      container.nowSeconds(),
      ...walk.where.parameters,
      ...base.values,
      ...stretch.condition.values,
      size - found.length,
    );
    found = found.length === 0 ? rows : [...found, ...rows];
    if (found.length >= size) {
      break;
    }
  }
  return found;
}

function placeOf(row: WalkedRow, { terms }: OrderedWalk): Place {
  return { values: terms.map((_, at) => row[`t${at}`] as SqliteValue), ordinal: row.ordinal };
}

function isEqualPlace(one: Place, other: Place): boolean {
  return one.values.every((value, at) => value === other.values[at]);
}

/** The terms' values of sort keys; undefined where the index does not tell their place. */
function placeOfKeys(keys: readonly (JsonValue | undefined)[], ordinal: number, walk: OrderedWalk): Place | undefined {
  const values: SqliteValue[] = [];
  const columns = walk.access.orderItems;
  let term = 0;
  for (const item of columns) {
    const key = keys[item];
    if ((typeof key === 'object' && key !== null) || (typeof key === 'string' && !isBindableText(key))) {
      return undefined;
    }
    if (walk.terms[term]?.isRank === true) {
      values.push(rankOf(key as IndexValue));
      term += 1;
    }
    values.push(typeof key === 'number' || typeof key === 'string' ? key : null);
    term += 1;
  }
  return { values, ordinal };
}

/** Whether ordinals of equal entries descend as the index is walked. */
function isTurned({ access }: OrderedWalk): boolean {
  return access.order === 'backward';
}

/** Walks where equal entries come as they are wanted. */
function straightReader(container: SqliteContainer, walk: OrderedWalk, start: Place | undefined) {
  let after = start;
  return function* (size: number): Program<{ rows: readonly WalkedRow[]; isEnd: boolean; looked: number }> {
    const turned = isTurned(walk);
    const stretches =
      after === undefined ? [wholeStretch(walk.terms, turned)] : [equalStretch(walk, after), ...stretchesBehind(walk.terms, after, turned)];
    const rows = yield* readStretches(container, walk, stretches, size);
    const last = rows.at(-1);
    after = last === undefined ? after : placeOf(last, walk);
    return { rows, isEnd: rows.length < size, looked: rows.length };
  };
}

/** The place before all entries that are equal to one. */
function beforeEqual(place: Place, { tiesDescend }: OrderedWalk): Place {
  return { ...place, ordinal: tiesDescend ? Number.MAX_SAFE_INTEGER : 0 };
}

/**
 * Walks where equal entries come in the other sequence than is wanted: those that are all there are turned around, and the last ones, of which there
 * may be more, are read again.
 */
function turningReader(container: SqliteContainer, walk: OrderedWalk, start: Place | undefined) {
  let behind: Place | undefined;
  let among = start;
  return function* (size: number): Program<{ rows: readonly WalkedRow[]; isEnd: boolean; looked: number }> {
    if (among !== undefined) {
      const rows = yield* readStretches(container, walk, [equalStretch(walk, among)], size);
      const isDone = rows.length < size;
      behind = among;
      among = isDone ? undefined : { ...among, ordinal: (rows.at(-1) as WalkedRow).ordinal };
      return { rows, isEnd: isDone && walk.terms.length === 0, looked: rows.length };
    }
    const turned = isTurned(walk);
    const stretches = behind === undefined ? [wholeStretch(walk.terms, turned)] : stretchesBehind(walk.terms, behind, turned);
    const rows = yield* readStretches(container, walk, stretches, size);
    const isEnd = rows.length < size;
    const sorted: WalkedRow[] = [];
    for (let first = 0; first < rows.length;) {
      const place = placeOf(rows[first] as WalkedRow, walk);
      let next = first + 1;
      while (next < rows.length && isEqualPlace(placeOf(rows[next] as WalkedRow, walk), place)) {
        next += 1;
      }
      if (next === rows.length && !isEnd) {
        among = first === 0 ? beforeEqual(place, walk) : undefined;
        break;
      }
      sorted.push(...rows.slice(first, next).toReversed());
      behind = place;
      first = next;
    }
    return { rows: sorted, isEnd, looked: rows.length };
  };
}

/** Whether the order of an entry is not that of the language: arrays and objects have one that SQLite lacks. */
function isUntold(row: WalkedRow, { terms }: OrderedWalk): boolean {
  return terms.some(({ isRank }, at) => isRank && Number(row[`t${at}`]) >= RANKS.array);
}

/** Reads long documents one by one, each when its turn has come; gives up where one was written since its place was read. */
async function* withLongTexts(
  container: SqliteContainer,
  { rows, looked }: { readonly rows: readonly WalkedRow[]; readonly looked: number },
  read: Read,
): AsyncGenerator<WalkedBatch> {
  const sql = `SELECT ${BODY_TEXT} AS body FROM ${tableNames(container.number).documents} WHERE ordinal = ? AND position = ?`;
  let from = 0;
  for (const [at, row] of rows.entries()) {
    if (row.body === LONG) {
      const found = await read(() => get<{ body: string }>(sql, row.ordinal, row.position));
      if (found === undefined) {
        yield 'gave-up';
        return;
      }
      yield { rows: [...rows.slice(from, at), { ...row, body: found.body }], looked: at + 1 - from };
      from = at + 1;
    }
  }
  yield { rows: from === 0 ? rows : rows.slice(from), looked: looked - from };
}

/** Entries after which a walk that finds next to nothing ends, as a part of the container. */
export const MAX_SHARE = 0.25;
const MIN_BUDGET = 4000;
/** Of so many entries one has to pass. */
const MIN_PASSING = 50;

/**
 * Walks an index in the order of the query, from the document with some sort keys and an ordinal on, itself included; slice by slice, so that
 * others have their turn.
 *
 * It gives up, having told the truth so far, where the index cannot tell: on odd documents, on arrays and objects, and where so few documents pass
 * that a scan would be cheaper.
 */
export async function* walkInOrder(
  container: SqliteContainer,
  walk: OrderedWalk,
  from: { readonly keys: readonly (JsonValue | undefined)[]; readonly ordinal: number } | undefined,
  expectedRows: number,
  signal: AbortSignal | undefined,
  read: Read,
): AsyncGenerator<WalkedBatch> {
  const start = from === undefined ? undefined : placeOfKeys(from.keys, from.ordinal + (walk.tiesDescend ? 1 : -1), walk);
  if (from !== undefined && start === undefined) {
    yield 'gave-up';
    return;
  }
  const { runtime } = container.database;
  const { documents } = tableNames(container.number);
  const oddSql =
    walk.oddRank === undefined
      ? undefined
      : `SELECT ordinal FROM ${documents} INDEXED BY ${walk.access.index.name} WHERE ${walk.oddRank} = ${RANKS.odd} LIMIT 1`;
  const next = (isTurned(walk) === walk.tiesDescend ? straightReader : turningReader)(container, walk, start);
  const size = new SliceSize(runtime, expectedRows);
  const budget = Math.max(MIN_BUDGET, container.position * MAX_SHARE);
  let looked = 0;
  let passed = 0;
  for (let isFirst = true; ; isFirst = false) {
    const count = size.begin();
    const step = await read(function* () {
      const odd = isFirst && oddSql !== undefined ? yield* all(oddSql) : [];
      return odd.length > 0 ? undefined : yield* next(count);
    });
    if (step === undefined || step.rows.some((row) => isUntold(row, walk))) {
      yield 'gave-up';
      return;
    }
    size.end(step.rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0));
    looked += step.looked;
    passed += step.rows.reduce((sum, { body }) => sum + (body === null ? 0 : 1), 0);
    for await (const batch of withLongTexts(container, step, read)) {
      yield batch;
      if (batch === 'gave-up') {
        return;
      }
    }
    if (step.isEnd) {
      return;
    }
    if (looked > budget && passed * MIN_PASSING < looked) {
      yield 'gave-up';
      return;
    }
    await runtime.yieldTask();
    throwIfAborted(signal);
  }
}
