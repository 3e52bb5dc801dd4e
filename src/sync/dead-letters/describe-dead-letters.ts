import { isPerigeeError } from '../../core/errors.ts';
import { STORE_LIMITS } from '../../store/limits.ts';
import { documentOf } from '../push/groups.ts';
import { describeRejected, listUndescribed } from './dead-letter-rows.ts';
import { readWithoutDoubt } from '../remote/read-without-doubt.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import type { SyncContext } from '../sync-context.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Asks what the remote holds in the place of the dead letters of a scope, new ones and earlier ones that could not be asked about. */
export async function describeDeadLetters(context: SyncContext, remote: RemoteSession): Promise<void> {
  const { number, container } = remote.scope;
  for (let rowIds: readonly string[]; ;) {
    rowIds = await context.database.read(() => listUndescribed(number, STORE_LIMITS.batchOperations));
    if (rowIds.length === 0) {
      return;
    }
    let versions: ReadonlyMap<string, RemoteVersion | undefined>;
    try {
      versions = await readWithoutDoubt(remote, [...new Set(rowIds.map(documentOf))]);
    } catch (error) {
      if (!isPerigeeError(error) || error.code === 'CLOSED' || (error.category !== 'data' && error.code !== 'FORBIDDEN')) {
        throw error;
      }
      // What cannot be written may not be readable either; that must not keep the scope from its pull.
      context.logger.log('warn', 'The remote version of a dead letter could not be read.', { container, code: error.code });
      return;
    }
    await context.database.write(() => describeRejected(number, rowIds, versions));
  }
}
