import type { SnapshotContainer, SnapshotVersion } from '../../store/snapshot/snapshot-record.ts';
import type { ResidentRow } from '../common/resident-container.ts';

/** A row, and what it is made of beside the record of its version. */
interface MadeRow {
  readonly container: SnapshotContainer;
  readonly expiresAt: number | null;
  readonly row: ResidentRow;
}

/**
 * Rows of records that this process still holds: a snapshot that is the starting point of each of many tests is restored by sharing rows, which never
 * change, instead of making them again.
 */
const rows = new WeakMap<SnapshotVersion, MadeRow>();

export function rememberRow(version: SnapshotVersion, made: MadeRow): void {
  rows.set(version, made);
}

/** The row of a version in a container, where it was made already and expires when it should. */
export function knownRow(version: SnapshotVersion, container: SnapshotContainer, expiresAt: number | null): ResidentRow | undefined {
  const made = rows.get(version);
  return made?.container === container && made.expiresAt === expiresAt ? made.row : undefined;
}
