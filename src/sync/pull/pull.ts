import { isPerigeeError } from '../../core/errors.ts';
import type { ChangePage, ChangesFrom } from '../../store/changes.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { applyRemote } from '../decide/apply.ts';
import { readBases } from '../state/base-versions.ts';
import { hasPending } from '../push/outbox.ts';
import { countApplied } from '../decide/count-applied.ts';
import { settleEpoch } from './epoch.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import { readScope, restartPull, updateScope, type ScopeRow } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { Applied } from '../decide/take-remote.ts';
import type { ReportBuilder } from '../sync-report.ts';
import { readRemote, type RemoteVersion } from '../remote/wire-stamp.ts';

/** How often one pull begins again; a remote that refuses even the cursors it has just given must not keep it busy for ever. */
const MAX_RECOVERIES = 3;

/** How far the first load is. */
interface Load {
  done: boolean;
  loaded: number;
  readonly total: number | undefined;
  /** Never reconciled: what is read from the beginning for the first time need not be. After a restarted pull it must. */
  readonly fresh: boolean;
}

/** Brings one scope up to the remote: page by page, each page and its cursor in one transaction. */
export async function pull(context: SyncContext, remote: RemoteSession, report: ReportBuilder): Promise<void> {
  for (let recoveries = 0; ; recoveries += 1) {
    try {
      await settleEpoch(context, remote, report);
      const row = await context.database.read(() => readScope(remote.scope.number));
      await pullPages(context, remote, report, row);
      return;
    } catch (error) {
      if (recoveries >= MAX_RECOVERIES || !(await recover(context, remote, error))) {
        throw error;
      }
    }
  }
}

/**
 * Gives up what the remote no longer knows: first the session, as after it was restored or replaced by another store, then the cursor; the partition key is then loaded from the
 * beginning. Where nothing is remembered there is nothing to give up, and the error means something else.
 */
async function recover(context: SyncContext, remote: RemoteSession, error: unknown): Promise<boolean> {
  const { number, container } = remote.scope;
  if (await remote.giveUpSession(error)) {
    return true;
  }
  const { cursor } = await context.database.read(() => readScope(number));
  if (!isPerigeeError(error, 'INVALID_CONTINUATION') || cursor === null) {
    return false;
  }
  context.logger.log('warn', 'The remote no longer knows the cursor of a partition key; it is loaded from the beginning.', { container });
  remote.forgetSession();
  remote.scope.epochCheckedAtMs = undefined;
  await context.database.write(() => restartPull(number));
  return true;
}

async function pullPages(context: SyncContext, remote: RemoteSession, report: ReportBuilder, row: ScopeRow): Promise<void> {
  const load = await beginLoad(context, remote, row);
  let from: ChangesFrom = row.cursor === null ? 'beginning' : { cursor: row.cursor };
  for (;;) {
    const page = await remote.changes(from);
    const versions = page.changes.map((change) => readRemote(change.document, change.position, remote.scope.form));
    await remote.learnFromVersions(versions);
    const unchanged = versions.length === 0 && typeof from === 'object' && 'cursor' in from && from.cursor === page.cursor;
    if (!unchanged || !load.done) {
      await applyPage(context, remote, report, page, versions, load);
    }
    if (page.caughtUp) {
      return;
    }
    from = { cursor: page.cursor };
  }
}

/** What is known of a first load that begins or goes on; its total is asked for once. */
async function beginLoad(context: SyncContext, remote: RemoteSession, row: ScopeRow): Promise<Load> {
  const fresh = row.last_reconcile_ms === null;
  if (row.first_load_done === 1) {
    return { done: true, loaded: 0, total: undefined, fresh };
  }
  if (row.total !== null) {
    return { done: false, loaded: row.loaded, total: row.total, fresh };
  }
  const total = await remote.count();
  if (total !== undefined) {
    await context.database.write(() => updateScope(remote.scope.number, { total }));
  }
  return { done: false, loaded: row.loaded, total, fresh };
}

async function applyPage(
  context: SyncContext,
  remote: RemoteSession,
  report: ReportBuilder,
  page: ChangePage,
  versions: readonly RemoteVersion[],
  load: Load,
): Promise<void> {
  const { container, partitionKey } = remote.scope;
  const phase = load.done ? 'pull' : 'first-load';
  const loaded = load.loaded + versions.length;
  const change: Partial<ScopeRow> = {
    cursor: page.cursor,
    session: remote.session ?? null,
    ...(load.done ? {} : { loaded, first_load_done: page.caughtUp ? 1 : 0 }),
    ...(page.caughtUp && load.fresh ? { last_reconcile_ms: context.runtime.nowMs() } : {}),
  };
  const results = await applyAll(context, remote, versions, change);
  await context.probe?.('after-local-commit');
  load.loaded = loaded;
  load.done ||= page.caughtUp;
  for (const applied of results) {
    countApplied(context, report, applied);
    report.pushed += applied.decision === 'acknowledged' ? 1 : 0;
  }
  if (versions.length > 0 || phase === 'first-load') {
    const total = load.total === undefined ? undefined : Math.max(load.total, loaded);
    context.events.emit('progress', { container, partitionKey, phase, done: loaded, total: phase === 'pull' ? undefined : total });
  }
}

/** Applies a page. Where the feed leaves open which version is the newer one, the documents are read, and only then the cursor moves on. */
async function applyAll(
  context: SyncContext,
  remote: RemoteSession,
  versions: readonly RemoteVersion[],
  change: Partial<ScopeRow>,
): Promise<readonly Applied[]> {
  const results = await context.database.write(() => applyVersions(context, remote, versions, change));
  const unsure = versions.filter((_, index) => results[index]?.unsure === true).map(({ id }) => id);
  if (unsure.length === 0) {
    return results;
  }
  const current = await remote.read([...new Set(unsure)]);
  return context.database.write(function* (): Program<readonly Applied[]> {
    const further: Applied[] = [];
    for (const [id, version] of current) {
      further.push(yield* applyRemote(context, remote.scope, id, version, { authoritative: true, mayBePending: true }));
    }
    yield* updateScope(remote.scope.number, { ...change, session: remote.session ?? null });
    yield* context.clock.save();
    return [...results, ...further];
  });
}

/** A page, its cursor, its session and the clock: all or nothing. The cursor stays where a version is left open. */
function* applyVersions(
  context: SyncContext,
  remote: RemoteSession,
  versions: readonly RemoteVersion[],
  change: Partial<ScopeRow>,
): Program<readonly Applied[]> {
  const { scope } = remote;
  const ids = versions.map(({ id }) => id);
  // A feed may give a document twice; then the second has to see what the first did.
  const bases = new Set(ids).size === ids.length ? yield* readBases(scope.number, ids) : undefined;
  const options = { authoritative: false, mayBePending: yield* hasPending(scope.number), bases };
  const results: Applied[] = [];
  for (const version of versions) {
    results.push(yield* applyRemote(context, scope, version.id, version, options));
  }
  void context.probe?.('between-page-and-cursor');
  if (!results.some(({ unsure }) => unsure === true)) {
    yield* updateScope(scope.number, change);
  }
  yield* context.clock.save();
  void context.probe?.('before-local-commit');
  return results;
}
