import { PerigeeError } from '../../core/errors.ts';
import type { Change } from '../../store/changes.ts';
import { deletedDocument } from '../../store/deleted-document.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { PartitionKey } from '../../store/partition-key.ts';
import { CHANGE_KINDS, type ChangeKind } from './change-kinds.ts';
import type { ResultContainer } from './store-results.ts';

/** A change as it was recorded: the version before it is with it, the version after it with the next change of the document, or with the document. */
export interface RecordedChange {
  readonly position: number;
  readonly ordinal: number;
  readonly kind: ChangeKind;
  readonly at_ms: number;
  readonly id: string;
  readonly previous: number | null;
  readonly previous_ts: number | null;
  readonly previous_text: string | null;
  /** Time and text of the version after. */
  readonly ts: number | null;
  readonly body: string | null;
}

/** The entry of the feed of all versions for a change. @param keyOf the partition key of the document @throws STORE_CORRUPT */
export function changeOfRecord<T extends object>(
  container: Omit<ResultContainer, 'terms'>,
  { position, ordinal, kind, at_ms, id, previous, previous_ts, previous_text, ts, body }: RecordedChange,
  keyOf: () => PartitionKey,
  paths: readonly (readonly string[])[],
): Change<T> {
  const documentOf = (text: string, at: number, seconds: number): StoredDocument<T> =>
    container.documentOf(text, ordinal, at, seconds) as unknown as StoredDocument<T>;
  const before = { position: previous ?? 0, ts: previous_ts ?? 0 };
  const known = {
    position,
    previous: previous_text === null ? undefined : documentOf(previous_text, before.position, before.ts),
    previousPosition: previous ?? undefined,
    timeToLiveExpired: kind === CHANGE_KINDS.expire,
  };
  if (kind === CHANGE_KINDS.create || kind === CHANGE_KINDS.replace) {
    if (body === null || ts === null) {
      throw new PerigeeError('STORE_CORRUPT', 'A recorded version of a document is not in the store. Restore a copy.');
    }
    const operation = kind === CHANGE_KINDS.create ? 'create' : 'replace';
    return { ...known, document: documentOf(body, position, ts), ts, operation };
  }
  const deletedAt = Math.floor(at_ms / 1000);
  const system = { ...container.systemProperties(ordinal, before.position, before.ts), _ts: deletedAt };
  return { ...known, document: deletedDocument<T>(id, keyOf(), paths, system), ts: deletedAt, operation: 'delete' };
}
