import { PerigeeError } from '../../core/errors.ts';

/** What is wrong with a snapshot: not one at all, of a newer version, cut off, changed, or with a record that is too long. */
export type SnapshotFault = 'foreign' | 'newer' | 'truncated' | 'damaged' | 'too-long';

const MEANINGS: Readonly<Record<SnapshotFault, string>> = {
  foreign: 'it is no snapshot',
  newer: 'a newer version wrote it; update Perigee',
  truncated: 'it is not whole; take it again',
  damaged: 'it is damaged',
  'too-long': 'a record is too long',
};

/** The refusal of a snapshot. `why` says where, without content. */
export function invalidSnapshot(fault: SnapshotFault, why?: string, cause?: unknown): PerigeeError {
  const message = `Cannot use the snapshot: ${MEANINGS[fault]}${why === undefined ? '' : ` (${why})`}.`;
  return new PerigeeError('INVALID_SNAPSHOT', message, { details: { fault }, cause });
}
