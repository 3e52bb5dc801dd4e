import { runPipeline } from '../evaluator/pipeline.ts';
import { hashText, wrongPosition, type OrderPosition } from './continuation-token.ts';
import { compareWithEdge, EdgeCounter, edgeOf, type KeyEdge } from './key-edge.ts';
import { FirstRows, type OrderedPlace } from './ordered-rows.ts';
import type { QueryRun } from './query-run.ts';
import { scanAll } from './scan-all.ts';
import { sortKey, type Sorting } from './sorting.ts';

/** Where rows go on: at a place, or where no row is there any more, at the edge of its keys. */
export interface Resumption {
  /** The row that came last; undefined where only the edge is known. */
  readonly place: OrderedPlace | undefined;
  /** How many rows up to here have the edge of the position that is resumed; 0 where its keys were whole, or where there was none. */
  readonly passed: number;
  /** Whether a row comes behind. */
  isBehind(place: OrderedPlace): boolean;
}

/** Goes on behind a row. */
export function behindPlace(place: OrderedPlace, { order }: Sorting, passed: number = 0): Resumption {
  return { place, passed, isBehind: (one) => order(one, place) > 0 };
}

function checkOf(keys: OrderedPlace['keys']): string {
  return hashText(JSON.stringify(keys.map((key) => (key === undefined ? [] : [key]))));
}

/** The position behind a row. `counter` has followed the rows up to it. */
export function positionBehind({ keys, ordinal, row }: OrderedPlace, taken: number, counter: EdgeCounter): OrderPosition {
  const edge = edgeOf(keys);
  const keysCheck = edge.cut === undefined ? '' : checkOf(keys);
  return { kind: 'order', edge, ordinal, row, taken, passed: counter.passed, keysCheck };
}

/** Follows the rows behind a position. */
export function counterFrom(position: QueryRun['position'], resumption: Resumption | undefined): EdgeCounter {
  return position?.kind === 'order' ? new EdgeCounter(position.edge, resumption?.passed ?? 0) : new EdgeCounter(undefined, 0);
}

/** Sends documents through the query and calls `visit` with the place of each row. */
async function visitPlaces(
  run: QueryRun,
  sorting: Sorting,
  source: QueryRun['source'],
  visit: (place: OrderedPlace) => void,
): Promise<void> {
  let ordinal = 0;
  let row = 0;
  const execution = runPipeline(
    run.pipeline,
    (frame) => {
      visit({ keys: sorting.keys.map((key) => sortKey(key(frame))), ordinal, row });
      row += 1;
    },
    () => false,
  );
  const onDocument = (next: number): void => {
    ordinal = next;
    row = 0;
  };
  await scanAll({ ...run, source }, execution, () => false, onDocument);
}

/** The row that came last, if it still sorts as it did: its document is read by itself. */
async function findRow(run: QueryRun, sorting: Sorting, { ordinal, row, keysCheck }: OrderPosition): Promise<OrderedPlace | undefined> {
  let found: OrderedPlace | undefined;
  const one: QueryRun['source'] = {
    async *scan({ signal }) {
      for await (const batch of run.source.scan({ afterOrdinal: ordinal - 1, signal })) {
        if (batch.rows.length > 0) {
          yield { ...batch, rows: batch.rows.slice(0, 1) };
          return;
        }
      }
    },
  };
  await visitPlaces(run, sorting, one, (place) => {
    found = place.ordinal === ordinal && place.row === row && checkOf(place.keys) === keysCheck ? place : found;
  });
  return found;
}

/** How many rows with one edge are counted at a time. */
const MAX_COUNTED = 10_000;

/** Rows with the edge are counted where the last one is gone: all others that came before it are left out. */
async function countRows(run: QueryRun, sorting: Sorting, position: OrderPosition): Promise<Resumption> {
  const { edge, ordinal, row, passed } = position;
  const compare = (place: OrderedPlace): number => compareWithEdge(place.keys, edge, sorting.directions);
  const others = passed - 1;
  let left = others;
  let last: OrderedPlace | undefined;
  while (left > 0) {
    const count = Math.min(left, MAX_COUNTED);
    const rows = new FirstRows(sorting.order, count, Number.POSITIVE_INFINITY);
    const from = last;
    await visitPlaces(run, sorting, run.source, (place) => {
      const isLast = place.ordinal === ordinal && place.row === row;
      const isNext = compare(place) === 0 && (from === undefined || sorting.order(place, from) > 0);
      if (isNext && !isLast && rows.wants(place)) {
        rows.add({ ...place, value: null, bytes: 0 });
      }
    });
    const sorted = rows.sorted();
    if (sorted.length < count) {
      return { place: undefined, passed: others, isBehind: (one) => compare(one) > 0 };
    }
    last = sorted.at(-1);
    left -= count;
  }
  return last === undefined
    ? { place: undefined, passed: others, isBehind: (one) => compare(one) >= 0 }
    : behindPlace(last, sorting, others);
}

function placeOf({ keys }: KeyEdge, { ordinal, row }: OrderPosition): OrderedPlace {
  return { keys, ordinal, row };
}

/**
 * Where a run goes on that a position stopped. Whole keys tell it whatever happened since. Keys that were cut are found again in their document; if it
 * was changed or deleted, rows that have the same beginning are counted, so only a change among those may repeat or drop a row.
 *
 * @throws INVALID_CONTINUATION for a position with other keys
 */
export async function resumeOrder(run: QueryRun, sorting: Sorting, position: OrderPosition): Promise<Resumption> {
  const { edge } = position;
  if (edge.cut === undefined ? edge.keys.length !== sorting.keys.length : edge.keys.length >= sorting.keys.length) {
    throw wrongPosition();
  }
  if (edge.cut === undefined) {
    return behindPlace(placeOf(edge, position), sorting);
  }
  const found = await findRow(run, sorting, position);
  return found === undefined ? countRows(run, sorting, position) : behindPlace(found, sorting, position.passed);
}
