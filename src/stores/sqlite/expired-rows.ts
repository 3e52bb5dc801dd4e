import { all, run, type Program } from './driver.ts';
import type { SqliteContainer } from './sqlite-container.ts';
import { CHANGE_KINDS } from '../common/change-kinds.ts';
import { RECORDED_EXPIRY } from './versions/version-statements.ts';
import type { WriteJournal } from './write-journal.ts';

const SWEEP_ROWS = 200;
const SWEEP_EVERY_SECONDS = 10;

/** What is known of a row that has expired. */
export interface ExpiredRow {
  readonly ordinal: number;
  readonly expires_at: number | null;
  readonly pk?: string | undefined;
  readonly id?: string | undefined;
}

/** What becomes of the rows of one container whose time to live has run out: they count as missing, and are recorded and removed by and by. */
export class ExpiredRows {
  readonly #container: SqliteContainer;
  readonly #sweep = (): Program<void> => this.#sweepSome();
  #nextSweep = 0;
  /** Journal of the store whose write brings the next sweep. */
  #sweeper: WriteJournal | undefined;

  constructor(container: SqliteContainer) {
    this.#container = container;
  }

  /** Lets the write under way remove some expired rows at its end, where it is time for that. */
  sweepWith(journal: WriteJournal | undefined): void {
    if (this.#container.info.definition.defaultTtl !== undefined && this.#container.nowSeconds() >= this.#nextSweep) {
      this.#sweeper = journal;
      this.#container.database.beforeCommit(this.#sweep);
    }
  }

  /**
   * Where versions are recorded, records up to `limit` documents that have expired, in the order of their time, and removes them; gives whether more
   * may have. One that a journal may still need stays, unread.
   */
  *recordDue(limit: number, journal: WriteJournal | undefined): Program<boolean> {
    const { recorder, info } = this.#container;
    if (!recorder.isOn || info.definition.defaultTtl === undefined) {
      return false;
    }
    const rows = yield* all<ExpiredRow>(recorder.statements.due, this.#container.nowSeconds(), limit);
    for (const row of rows) {
      if (yield* this.#isKept(row, journal)) {
        yield* this.#record(row);
        yield* run(recorder.statements.markRecorded, row.ordinal);
      } else {
        yield* this.drop(row);
      }
    }
    return rows.length === limit;
  }

  /** Deletes a row that has expired, and records that where it is not recorded. */
  *drop(row: ExpiredRow): Program<void> {
    if (this.#container.recorder.isOn && row.expires_at !== RECORDED_EXPIRY) {
      yield* this.#record(row);
    }
    yield* this.#container.drop(row.ordinal);
  }

  /** Records an expiry: it was then, but not before the time to live was set by which it was. Within a transaction it is part of what that does. */
  *#record({ ordinal, expires_at }: ExpiredRow): Program<void> {
    const { recorder, info, database } = this.#container;
    const expiredMs = Math.max(expires_at ?? 0, info.ts) * 1000;
    const atMs = Math.min(expiredMs, database.writeMs ?? expiredMs);
    yield* recorder.changing(CHANGE_KINDS.expire, ordinal, this.#container.takePosition(), atMs);
  }

  /** Whether an expired row must stay for the journal of the container; who does not know that journal leaves it. */
  *#isKept({ pk, id }: ExpiredRow, journal: WriteJournal | undefined): Program<boolean> {
    if (this.#container.journalName !== null && journal === undefined) {
      return true;
    }
    return journal?.keeps !== undefined && (yield* journal.keeps(pk as string, id as string));
  }

  /** Removes some expired rows but those that the journal keeps; those left over wait for a later write. */
  *#sweepSome(): Program<void> {
    const now = this.#container.nowSeconds();
    const rows = yield* all<ExpiredRow>(this.#container.statements.expired, now, SWEEP_ROWS);
    let kept = 0;
    for (const row of rows) {
      if (yield* this.#isKept(row, this.#sweeper)) {
        kept += 1;
      } else {
        yield* this.drop(row);
      }
    }
    this.#nextSweep = rows.length < SWEEP_ROWS || kept === rows.length ? now + SWEEP_EVERY_SECONDS : now;
  }
}
