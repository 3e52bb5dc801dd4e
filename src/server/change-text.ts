import { setOwn } from '../core/json.ts';
import type { Change } from '../store/changes.ts';
import { partitionKeyOf } from '../store/partition-key.ts';
import type { OpenContainer } from './container-registry.ts';

/** A change of the latest-version feed as clients see it: the document, with its place in commit order where the store has places. */
export function latestChangeText({ document, position }: Change): string {
  return JSON.stringify(position === undefined ? document : { ...document, _lsn: position });
}

/** The partition key of what was deleted, a member for each path by its name. */
function keyMembers(change: Change, { info, partitionKeyPaths }: OpenContainer): object {
  const members = {};
  partitionKeyOf(change.document, partitionKeyPaths).forEach((component, index) => {
    const path = info.definition.partitionKey.paths[index] as string;
    setOwn(members, path.slice(1), component);
  });
  return members;
}

/**
 * A change of the feed of all versions and deletes as clients see it: `current`, `previous` and `metadata`.
 *
 * @see https://learn.microsoft.com/azure/cosmos-db/nosql/change-feed-modes
 */
export function versionChangeText(change: Change, container: OpenContainer): string {
  const { document, position, ts, operation, previous, previousPosition, timeToLiveExpired } = change;
  const isDelete = operation === 'delete';
  return JSON.stringify({
    current: isDelete ? null : document,
    previous,
    metadata: {
      operationType: operation,
      lsn: position,
      crts: ts,
      previousImageLSN: previousPosition,
      ...(isDelete ? { id: document.id, partitionKey: keyMembers(change, container), timeToLiveExpired: timeToLiveExpired === true } : {}),
    },
  });
}
