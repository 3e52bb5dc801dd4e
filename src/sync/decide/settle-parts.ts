import type { Program } from '../../stores/sqlite/driver.ts';
import { documentOf } from '../push/groups.ts';
import { advancePending, NO_BASE, type OutboxRow, type PendingBase } from '../push/outbox.ts';
import { snapshotText } from '../remote/remote-snapshot.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';
import type { Scope } from '../state/scope.ts';
import type { ConflictReport } from '../sync-report.ts';
import { setBase } from './take-remote.ts';

/** A decided conflict, for the report. */
export function report(scope: Scope, id: string, outcome: ConflictReport['outcome'], journalSeq: number | undefined): ConflictReport {
  return { container: scope.container, partitionKey: scope.partitionKey, id, outcome, journalSeq };
}

/** What a pending write follows once it follows a remote version, or none. */
export function pendingBase(scope: Scope, remote: RemoteVersion | undefined): PendingBase {
  const text = remote === undefined || remote.deleted ? NO_BASE : JSON.stringify(remote.body);
  return { text: scope.needsBase ? text : null, remote: snapshotText(remote) };
}

/** A remote version is known, and a pending version follows it. */
export function* advance(
  scope: Scope,
  row: Pick<OutboxRow, 'id'>,
  remote: RemoteVersion | undefined,
  lineage?: string | null,
): Program<void> {
  yield* setBase(scope, documentOf(row.id), remote, lineage);
  yield* advancePending(scope.number, row.id, pendingBase(scope, remote));
}
