import type { SnapshotChange } from '../../store/snapshot/snapshot-record.ts';
import { CHANGE_KINDS, type ChangeKind } from './change-kinds.ts';

/** A recorded change as a statement has read it. */
export interface ChangeRow {
  readonly position: number;
  readonly ordinal: number;
  readonly kind: ChangeKind;
  readonly at_ms: number;
  readonly pk: string;
  readonly id: string;
  readonly previous: number | null;
  readonly previous_ts: number | null;
  readonly previous_expires_at: number | null;
  /** Text of the version before. */
  readonly body: string | null;
}

const CHANGE_NAMES: Readonly<Record<ChangeKind, SnapshotChange['change']>> = {
  [CHANGE_KINDS.create]: 'create',
  [CHANGE_KINDS.replace]: 'replace',
  [CHANGE_KINDS.delete]: 'delete',
  [CHANGE_KINDS.expire]: 'expire',
};

/** A recorded change as a record of a snapshot. */
export function changeRecord(row: ChangeRow): SnapshotChange {
  const { position, ordinal, kind, at_ms: atMs, pk: partitionKey, id, previous, previous_ts, previous_expires_at: expiresAt, body } = row;
  const before =
    previous === null || previous_ts === null || body === null ? null : { position: previous, ts: previous_ts, expiresAt, text: body };
  return { kind: 'change', change: CHANGE_NAMES[kind], position, ordinal, atMs, id, partitionKey, before };
}
