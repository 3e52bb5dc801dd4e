import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { sleep } from '../../core/runtime.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { readBase } from '../state/base-versions.ts';
import { settleEpoch } from './epoch.ts';
import { nextMarker, noteMarker, writtenMarker, type Marker } from './markers.ts';
import { CONFLICT_CODES } from '../decide/conflict-codes.ts';
import { pull } from './pull.ts';
import { RemoteSession } from '../remote/remote-session.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { ReportBuilder } from '../sync-report.ts';

/** How often a marker that somebody wrote in the device's name is tried again. */
const MAX_TRIES = 5;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1000;

/** What {@link catchUp} works with. */
export interface CatchUpParts {
  readonly scopes: readonly Scope[];
  /** The remote store of a container. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
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

/** Writes the device's marker. One that was written in the device's name meanwhile is read first. */
async function writeMarker(
  context: SyncContext,
  remote: RemoteSession,
  report: ReportBuilder,
): Promise<Marker & { readonly position: number | undefined }> {
  const { scope, store } = remote;
  for (let tries = 1; ; tries += 1) {
    await settleEpoch(context, remote, report, tries === 1 ? 'due' : 'at-once');
    const write = await context.database.write(() => nextMarker(context, scope, store.definition));
    const { outcomes, committed } = await remote.batch([write.operation], write.bytes);
    const [outcome] = outcomes;
    if (committed) {
      const marker = writtenMarker(write, outcome);
      await context.database.write(() => noteMarker(scope, marker));
      return { ...marker, position: outcome?.ok === true ? outcome.position : undefined };
    }
    if (outcome?.ok !== false) {
      throw new PerigeeError('BAD_RESPONSE', 'The remote store refused a marker and said nothing of it.');
    }
    if (tries >= MAX_TRIES || !CONFLICT_CODES.has(outcome.error.code)) {
      throw outcome.error;
    }
  }
}

/**
 * Follows the feed of one partition key until it has delivered a marker that is written now, and with it everything that was acknowledged before: within a
 * partition key the feed is in commit order. A replica that says there is nothing more is not believed.
 *
 * The marker is a tombstone of a document that never was, so every engine passes over it.
 */
async function followToMarker(
  context: SyncContext,
  remote: RemoteSession,
  report: ReportBuilder,
  { signal, untilMs }: CatchUpParts,
): Promise<void> {
  const { database, runtime } = context;
  const { scope } = remote;
  const { id, etag, position } = await writeMarker(context, remote, report);
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    await pull(context, remote, report);
    const seen = await database.read(() => readBase(scope.number, id));
    const isPast = seen?.position !== null && seen?.position !== undefined && position !== undefined && seen.position > position;
    // Another process of this device may have put its own in the place.
    if (seen?.etag === etag || isPast) {
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
