import { isOutsideRetention, raiseFloor, retentionMs, type RetentionFloor } from '../../../store/version-retention.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { tableNames } from '../container-statements.ts';
import { all, run, type Program } from '../driver.ts';
import { CHANGE_KINDS, type ChangeKind } from '../../common/change-kinds.ts';
import { createVersionTable, versionStatements, type VersionStatements } from './version-statements.ts';

/** What a container's row says of its recording. */
export interface RecordingColumns {
  readonly versions_floor: number | null;
  readonly versions_from_ms: number | null;
}

/** Changes that a write drops at most from the front of the log. */
export const TRIM_ROWS = 1000;

/** Where the recording of a row stands; `undefined` where nothing is recorded. */
export function floorOf({ versions_floor, versions_from_ms }: RecordingColumns): RetentionFloor | undefined {
  return versions_floor === null || versions_from_ms === null ? undefined : { position: versions_floor, atMs: versions_from_ms };
}

/** Makes the table of a container's versions; what is behind the floor will be recorded. */
export function* beginRecording(container: number, floor: RetentionFloor): Program<void> {
  for (const sql of createVersionTable(container)) {
    yield* run(sql);
  }
  yield* run(versionStatements(container).saveFloor, floor.position, floor.atMs);
}

/** Drops what was recorded of a container. */
export function* endRecording(container: number): Program<void> {
  yield* run(`DROP TABLE IF EXISTS ${tableNames(container).versions}`);
  yield* run(versionStatements(container).saveFloor, null, null);
}

/** Records the versions of one container's documents, in the transactions that write them. */
export class VersionRecorder {
  readonly statements: VersionStatements;
  readonly #container: number;
  #keptMs: number | undefined;
  #floor: RetentionFloor | undefined;
  #nextTrimMs = 0;

  constructor(container: number) {
    this.#container = container;
    this.statements = versionStatements(container);
  }

  /** Whether versions are recorded. */
  get isOn(): boolean {
    return this.#floor !== undefined;
  }

  /** Takes over what was just read of the container; begins to record where the definition says so and nothing was recorded yet. */
  *load(definition: ContainerDefinition, row: RecordingColumns & { readonly head: number }, nowMs: number): Program<void> {
    this.#keptMs = retentionMs(definition);
    this.#floor = this.#keptMs === undefined ? undefined : floorOf(row);
    this.#nextTrimMs = 0;
    if (this.#keptMs !== undefined && this.#floor === undefined) {
      this.#floor = { position: row.head, atMs: nowMs };
      yield* beginRecording(this.#container, this.#floor);
    }
  }

  /** Records that the row of an ordinal, which is its position, was created. */
  *created(ordinal: number, atMs: number): Program<void> {
    yield* run(this.statements.created, ordinal, CHANGE_KINDS.create, atMs, ordinal);
  }

  /** Records what is about to be done to the row of an ordinal. */
  *changing(kind: ChangeKind, ordinal: number, position: number, atMs: number): Program<void> {
    yield* run(this.statements.changing, position, kind, atMs, ordinal);
  }

  /** Whether it is time to look for changes that are older than they are kept. */
  isTrimDue(nowMs: number): boolean {
    return this.#floor !== undefined && nowMs >= this.#nextTrimMs;
  }

  /** Drops some changes that are older than they are kept; gives whether more may be. */
  *trimSome(nowMs: number): Program<boolean> {
    const keptMs = this.#keptMs;
    if (keptMs === undefined || this.#floor === undefined) {
      return false;
    }
    const oldest = yield* all<{ position: number; at_ms: number }>(this.statements.oldest, TRIM_ROWS);
    const kept = oldest.findIndex(({ at_ms }) => !isOutsideRetention(at_ms, nowMs, keptMs));
    const gone = kept === -1 ? oldest : oldest.slice(0, kept);
    for (const { position, at_ms } of gone) {
      this.#floor = raiseFloor(this.#floor, position, at_ms, nowMs);
    }
    if (gone.length > 0) {
      yield* run(this.statements.trim, this.#floor.position);
      yield* run(this.statements.saveFloor, this.#floor.position, this.#floor.atMs);
    }
    const mayBeMore = gone.length === TRIM_ROWS;
    this.#nextTrimMs = mayBeMore ? nowMs : (oldest[kept]?.at_ms ?? nowMs) + keptMs;
    return mayBeMore;
  }
}
