import type { JsonObject } from '../core/json.ts';
import type { Program } from '../stores/sqlite/driver.ts';
import type { BaseRow } from './base-versions.ts';
import type { PendingVersion } from './conflict.ts';
import { rowStamp, sentBodies, sentNames, writeName, type OutboxRow } from './outbox.ts';
import { keyIn, type Scope } from './scope.ts';

/**
 * The pending write of a row with its body, be it expired on the device. One whose document is gone from the file all the same counts as deleted;
 * `undefined` where the remote never heard of it, so that nothing is left to send.
 */
export function* readPendingVersion(scope: Scope, row: OutboxRow, base: BaseRow | undefined): Program<PendingVersion | undefined> {
  const stored = row.kind === 'delete' ? undefined : yield* scope.store.readProgram(keyIn(scope, row.id), { expired: true });
  if (stored === undefined && row.kind !== 'delete' && base === undefined && row.sent === null) {
    return undefined;
  }
  return {
    deleted: stored === undefined,
    body: stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject),
    stamp: rowStamp(row),
    write: writeName(row, scope.life),
    sent: sentNames(row),
    baseEtag: base?.etag,
    anew: base?.deleted === 1 || row.kind === 'create',
    ...(scope.needsBase ? { base: baseBody(row), sentBodies: sentBodies(row) } : {}),
  };
}

/** Content of the version that a row follows; see {@link PendingVersion.base}. */
function baseBody({ base }: OutboxRow): JsonObject | null | undefined {
  return base === null ? undefined : (JSON.parse(base) as JsonObject | null);
}
