import { containerNames } from '../names.ts';
import type { PgRow, Session } from '../postgres-database.ts';
import { physicalName } from './index-catalog.ts';

/** How far PostgreSQL is with an index, by its own count. Each phase counts from 0 again. */
export interface IndexBuildProgress {
  /** What it does, in its words: `building index: scanning table`, `waiting for writers before build`. */
  readonly phase: string;
  /** Blocks of 8 kB of the phase, 0 where it does not count any. */
  readonly blocksDone: number;
  readonly blocksTotal: number;
  /** Entries of the phase, 0 where it does not count any. */
  readonly entriesDone: number;
  readonly entriesTotal: number;
  /** Transactions that it waits for, of those that it had to wait for. */
  readonly waitingFor: number;
}

interface ProgressRow extends PgRow {
  readonly place: number;
  readonly phase: string;
  readonly blocks_done: number | null;
  readonly blocks_total: number | null;
  readonly tuples_done: number | null;
  readonly tuples_total: number | null;
  readonly lockers: number | null;
}

/** What tells an index among those of the store. */
export interface PlacedIndex {
  readonly database: number;
  readonly container: number;
  readonly number: number;
}

/** The progress of those of some indexes that are being built, whichever server builds them; by number. */
export async function buildProgress(
  session: Session,
  prefix: string,
  indexes: readonly PlacedIndex[],
): Promise<ReadonlyMap<number, IndexBuildProgress>> {
  if (indexes.length === 0) {
    return new Map();
  }
  const names = indexes.map(({ database, container, number }) => {
    const { schema } = containerNames(prefix, database, container);
    return `${schema}.${physicalName(container, number)}`;
  });
  const rows = await session.rows<ProgressRow>({
    text: `SELECT w.place, p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total, p.lockers_total - p.lockers_done AS lockers
      FROM unnest($1::text[]) WITH ORDINALITY AS w(name, place) JOIN pg_stat_progress_create_index p ON p.index_relid = to_regclass(w.name)
      WHERE p.datname = current_database()`,
    values: [names],
  });
  return new Map(
    rows.map((row) => [
      (indexes[row.place - 1] as PlacedIndex).number,
      {
        phase: row.phase,
        blocksDone: row.blocks_done ?? 0,
        blocksTotal: row.blocks_total ?? 0,
        entriesDone: row.tuples_done ?? 0,
        entriesTotal: row.tuples_total ?? 0,
        waitingFor: Math.max(0, row.lockers ?? 0),
      },
    ]),
  );
}

/**
 * Where the phases of CREATE INDEX CONCURRENTLY lie between the beginning and the end, in their order: a table is read twice, and entries are sorted and
 * written in between. https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING
 */
const PHASES: readonly (readonly [name: string, from: number, to: number])[] = [
  ['initializing', 0, 0],
  ['waiting for writers before build', 0, 0],
  ['building index: scanning table', 0.02, 0.45],
  ['building index: sorting', 0.45, 0.5],
  ['building index: loading tuples in tree', 0.5, 0.65],
  // Kinds of indexes that tell no more of it.
  ['building index', 0.02, 0.65],
  ['waiting for writers before validation', 0.65, 0.65],
  ['index validation: scanning index', 0.65, 0.75],
  ['index validation: sorting', 0.75, 0.78],
  ['index validation: scanning table', 0.78, 0.98],
  ['waiting for', 0.98, 0.98],
];

/** About how much of a build is done, from 0 to 1. It says how much work is behind it, not how much time: the last wait may be the longest. */
export function buildShare({ phase, blocksDone, blocksTotal, entriesDone, entriesTotal }: IndexBuildProgress): number {
  const [, from, to] = PHASES.find(([name]) => phase.startsWith(name)) ?? [phase, 0, 0];
  const done = blocksTotal > 0 ? blocksDone / blocksTotal : entriesTotal > 0 ? entriesDone / entriesTotal : 0;
  return from + (to - from) * Math.min(1, done);
}
