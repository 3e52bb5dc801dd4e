import { PerigeeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { sleep } from '../core/runtime.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { readBase } from './base-versions.ts';
import { pull } from './pull.ts';
import { RemoteSession } from './remote-session.ts';
import type { Scope } from './scope.ts';
import type { SyncContext } from './sync-context.ts';
import { ReportBuilder } from './sync-report.ts';
import { tombstoneBody } from './tombstone.ts';
import { MARKER_ID, stampedDocument } from './wire-stamp.ts';

/** A marker is of no use to anybody after it was seen. */
const MARKER_TTL_SECONDS = 86_400;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1000;

/** What {@link catchUp} works with. */
export interface CatchUpParts {
  readonly scopes: readonly Scope[];
  /** The remote store of a container. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  readonly device: string;
  readonly signal: AbortSignal;
  /** When to give up, by the runtime's monotonic clock. */
  readonly untilMs: number;
}

/** Follows the feeds of all scopes until each has delivered what was acknowledged before. @throws TIMEOUT, the signal's reason, and what a remote refuses with */
export async function catchUp(context: SyncContext, parts: CatchUpParts): Promise<void> {
  const report = new ReportBuilder(context.runtime.nowMs());
  for (const scope of parts.scopes) {
    const remote = await RemoteSession.open(context, scope, { remote: parts.remote, report, signal: parts.signal });
    await followToMarker(context, remote, report, parts);
  }
}

/**
 * Follows the feed of one partition key until it has delivered a marker that is written now, and with it everything that was acknowledged before: within a
 * partition key the feed is in commit order. A replica that says there is nothing more is not believed.
 *
 * The marker is a tombstone of a document that never was, so every engine passes over it. It is upserted, for nobody else writes it.
 */
async function followToMarker(
  context: SyncContext,
  remote: RemoteSession,
  report: ReportBuilder,
  { device, signal, untilMs }: CatchUpParts,
): Promise<void> {
  const { clock, database, runtime } = context;
  const { scope } = remote;
  const id = MARKER_ID + device;
  const body = tombstoneBody(id, scope.partitionKey, remote.store.definition, MARKER_TTL_SECONDS);
  const stamp = clock.next();
  const marker = stampedDocument(body, stamp, `${stamp.timeMs}.${stamp.counter}-${scope.life}`, true);
  const { outcomes, committed } = await remote.batch([{ type: 'upsert', document: marker }], JSON.stringify(marker).length);
  const [outcome] = outcomes;
  if (outcome?.ok === false) {
    throw outcome.error;
  }
  if (!committed || outcome?.etag === undefined) {
    throw new PerigeeError('BAD_RESPONSE', 'The remote store gave no etag for a marker that it took.');
  }
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    await pull(context, remote, report);
    const seen = await database.read(() => readBase(scope.number, id));
    const isPast =
      seen?.position !== null && seen?.position !== undefined && outcome.position !== undefined && seen.position > outcome.position;
    // Another process of this device may have put its own in the place.
    if (seen?.etag === outcome.etag || isPast) {
      return;
    }
    if (runtime.monotonicMs() + waitMs > untilMs) {
      throw new PerigeeError(
        'TIMEOUT',
        `The feed of the container ${JSON.stringify(scope.container)} has not delivered in time what the remote holds.`,
      );
    }
    await sleep(runtime, waitMs, signal);
  }
}
