import { all, run, type Program } from '../../stores/sqlite/driver.ts';
import { snapshotText } from '../remote/remote-snapshot.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Dead letters of a scope of which nobody has asked yet what the remote holds. */
export function* listUndescribed(scope: number, limit: number): Program<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    'SELECT id FROM sync_outbox WHERE scope = ? AND rejected_code IS NOT NULL AND rejected_remote IS NULL LIMIT ?',
    scope,
    limit,
  );
  return rows.map(({ id }) => id);
}

/** Writes down what the remote holds under the ids of dead letters. */
export function* describeRejected(scope: number, versions: ReadonlyMap<string, RemoteVersion | undefined>): Program<void> {
  for (const [id, version] of versions) {
    yield* run(
      'UPDATE sync_outbox SET rejected_remote = ? WHERE scope = ? AND id = ? AND rejected_code IS NOT NULL',
      snapshotText(version),
      scope,
      id,
    );
  }
}
