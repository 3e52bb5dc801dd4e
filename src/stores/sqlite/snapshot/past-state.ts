import { throwIfAborted } from '../../../core/errors.ts';
import { tableNames } from '../container-statements.ts';
import { all, get, run, type Program } from '../driver.ts';
import { RECORDED_EXPIRY } from '../versions/version-statements.ts';
import type { RowPage, SnapshotSource } from './read-snapshot.ts';

/** Changes that are looked at before others have their turn. */
const TURN_ROWS = 2000;
/** A table of this connection alone: for each document that was written since, the change that found its version of then. */
const FOUND = 'temp.past_versions';

interface PastRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body: string | null;
}

/**
 * The documents of a container as they were: those that were not written since, and the version before the first change since of all others. Both are
 * versions whose position is not behind the cut.
 */
export class PastState {
  /** Position of the last change that belongs to the state. */
  readonly cut: number;
  readonly #container: number;

  private constructor(container: number, cut: number) {
    this.#container = container;
    this.cut = cut;
  }

  /** Finds the state of a time; the container's recorded versions reach back to it. */
  static async find(source: SnapshotSource, container: number, asOfMs: number): Promise<PastState> {
    const { read, runtime, signal } = source;
    const { versions } = tableNames(container);
    await read(function* () {
      yield* run(`CREATE TABLE IF NOT EXISTS ${FOUND} (ordinal INTEGER PRIMARY KEY, position INTEGER NOT NULL)`);
      yield* run(`DELETE FROM ${FOUND}`);
    });
    const first =
      `SELECT max(position) AS last, min(CASE WHEN at_ms > ? THEN position END) AS first` +
      ` FROM (SELECT position, at_ms FROM ${versions} WHERE position > ? ORDER BY position LIMIT ${TURN_ROWS})`;
    let cut = Number.MAX_SAFE_INTEGER;
    for (let behind: number | undefined = 0; behind !== undefined;) {
      const from: number = behind;
      const found = await read(() => get<{ last: number | null; first: number | null }>(first, asOfMs, from));
      cut = found?.first === null || found === undefined ? cut : found.first - 1;
      behind = found?.first === null ? (found.last ?? undefined) : undefined;
      await runtime.yieldTask();
      throwIfAborted(signal);
    }
    const place = `SELECT position FROM ${versions} WHERE position > ? ORDER BY position LIMIT 1 OFFSET ${TURN_ROWS - 1}`;
    const collect = `INSERT INTO ${FOUND} SELECT ordinal, position FROM ${versions} WHERE position > ? AND position <= ? AND previous <= ?`;
    for (let behind: number | undefined = cut; behind !== undefined && behind < Number.MAX_SAFE_INTEGER;) {
      const from: number = behind;
      behind = await read(function* (): Program<number | undefined> {
        const end = (yield* get<{ position: number }>(place, from))?.position;
        yield* run(collect, from, end ?? Number.MAX_SAFE_INTEGER, cut);
        return end;
      });
      await runtime.yieldTask();
      throwIfAborted(signal);
    }
    return new PastState(container, cut);
  }

  /** About `size` documents behind an ordinal, in the order of creation. */
  *documents(behind: number, size: number): Program<RowPage<PastRow>> {
    const { documents, versions } = tableNames(this.#container);
    const place = (table: string): string => `SELECT ordinal FROM ${table} WHERE ordinal > ? ORDER BY ordinal LIMIT 1 OFFSET ?`;
    const current = (yield* get<{ ordinal: number }>(place(documents), behind, size - 1))?.ordinal;
    const found = (yield* get<{ ordinal: number }>(place(FOUND), behind, size - 1))?.ordinal;
    const next = current === undefined ? found : Math.min(current, found ?? current);
    const end = next ?? Number.MAX_SAFE_INTEGER;
    const rows = yield* all<PastRow>(
      `SELECT ordinal, position, ts, expires_at, json(body) AS body FROM ${documents}
        WHERE ordinal > ? AND ordinal <= ? AND position <= ? AND expires_at IS NOT ${RECORDED_EXPIRY}
        UNION ALL SELECT f.ordinal, v.previous, v.previous_ts, v.previous_expires_at, json(v.previous_body)
        FROM ${FOUND} f JOIN ${versions} v ON v.position = f.position WHERE f.ordinal > ? AND f.ordinal <= ? ORDER BY 1`,
      behind,
      end,
      this.cut,
      behind,
      end,
    );
    return { rows, next };
  }
}
