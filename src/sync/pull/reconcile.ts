import { isPerigeeError } from '../../core/errors.ts';
import { all, get, type Program } from '../../stores/sqlite/driver.ts';
import { applyRemote } from '../decide/apply.ts';
import { readPending } from '../push/outbox.ts';
import { countApplied } from '../decide/count-applied.ts';
import { reclaim } from './reclaim.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import { keyIn, readScope, updateScope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { Applied } from '../decide/take-remote.ts';
import type { ReportBuilder } from '../sync-report.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Documents read at once. */
const READ_KEYS = 100;

/** Ids and etags asked for in one page. */
const ID_PAGE_ITEMS = 1000;

/** Id and etag of a document. */
interface Candidate {
  readonly id: string;
  readonly etag: string;
}

interface IdPage {
  readonly ids: readonly Candidate[];
  readonly continuation: string | undefined;
}

/**
 * Compares one scope with the remote by id and etag, and mends what the latest-version feed cannot tell: documents that were deleted by others
 * without a tombstone, or that expired.
 *
 * Every base row whose id and etag the remote still lists is marked with the number of the reconciliation; rows written meanwhile carry it too. What
 * is unmarked at the end is asked for by id before anything is deleted, so a list that was read while others wrote cannot mislead. The place
 * in the list is kept, so that a bounded or interrupted reconciliation goes on where it stopped.
 *
 * @returns whether it came to its end
 */
export class Reconciliation {
  readonly #context: SyncContext;
  readonly #remote: RemoteSession;
  readonly #report: ReportBuilder;
  readonly #maxRequestUnits: number;
  /** The remote was restored, and this finds what it has forgotten. */
  #restored = false;

  constructor(context: SyncContext, remote: RemoteSession, report: ReportBuilder, maxRequestUnits: number = Infinity) {
    this.#context = context;
    this.#remote = remote;
    this.#report = report;
    this.#maxRequestUnits = maxRequestUnits;
  }

  async run(): Promise<boolean> {
    const limit = this.#report.requestUnits + this.#maxRequestUnits;
    let continuation = await this.#begin();
    for (let done = 0; ;) {
      const page = await this.#nextIds(continuation);
      const changed = await this.#context.database.write(() => this.#compare(page.ids, page.continuation));
      await this.#fetch(changed);
      done += page.ids.length;
      const { container, partitionKey } = this.#remote.scope;
      this.#context.events.emit('progress', { container, partitionKey, phase: 'reconcile', done, total: undefined });
      if (page.continuation === undefined) {
        break;
      }
      if (this.#report.requestUnits >= limit && !this.#restored) {
        return false;
      }
      continuation = page.continuation;
    }
    await this.#deleteMissing();
    await this.#context.database.write(() => this.#end());
    return true;
  }

  /** Begins a reconciliation, or goes on with one; gives the place in the list. */
  async #begin(): Promise<string | undefined> {
    const { scope } = this.#remote;
    const row = await this.#context.database.read(() => readScope(scope.number));
    this.#restored = row.restored === 1;
    scope.reconcileRun = row.reconcile_open === 1 ? row.reconcile_run : row.reconcile_run + 1;
    if (row.reconcile_open === 0) {
      await this.#context.database.write(() =>
        updateScope(scope.number, { reconcile_run: scope.reconcileRun, reconcile_open: 1, reconcile_continuation: null }),
      );
    }
    return row.reconcile_open === 1 ? (row.reconcile_continuation ?? undefined) : undefined;
  }

  async #nextIds(continuation: string | undefined): Promise<IdPage> {
    try {
      return await this.#ids(continuation);
    } catch (error) {
      if (continuation === undefined || !isPerigeeError(error, 'INVALID_CONTINUATION')) {
        throw error;
      }
      return this.#ids(undefined);
    }
  }

  async #ids(from: string | undefined): Promise<IdPage> {
    const { items, continuation } = await this.#remote.list('c.id, c._etag', from, ID_PAGE_ITEMS);
    return { ids: items.map((item) => ({ id: item['id'] as string, etag: item['_etag'] as string })), continuation };
  }

  /** Marks what is as it is known, and gives what is not so on the device. */
  *#compare(ids: readonly Candidate[], continuation: string | undefined): Program<readonly string[]> {
    const { number, reconcileRun } = this.#remote.scope;
    const changed: string[] = [];
    for (const { id, etag } of ids) {
      const known = yield* get<{ deleted: 0 | 1 }>(
        'UPDATE sync_base SET seen = ? WHERE scope = ? AND id = ? AND etag = ? RETURNING deleted',
        reconcileRun,
        number,
        id,
        etag,
      );
      if (known === undefined || (known.deleted === 0 && !(yield* this.#isHeld(id)))) {
        changed.push(id);
      }
    }
    yield* updateScope(number, { reconcile_continuation: continuation ?? null });
    return changed;
  }

  /** Whether the device holds a document, or has its deletion pending. */
  *#isHeld(id: string): Program<boolean> {
    const { scope } = this.#remote;
    return (yield* scope.store.readProgram(keyIn(scope, id))) !== undefined || (yield* readPending(scope.number, id)) !== undefined;
  }

  /** Reads documents that differ, that nobody knows or that the device lost, and takes them over. */
  async #fetch(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += READ_KEYS) {
      await this.#apply(await this.#remote.read(ids.slice(at, at + READ_KEYS)), undefined);
    }
  }

  async #deleteMissing(): Promise<void> {
    const { number, reconcileRun } = this.#remote.scope;
    for (let after = ''; ;) {
      const candidates = await this.#context.database.read(() =>
        all<Candidate>(
          'SELECT id, etag FROM sync_base WHERE scope = ? AND seen < ? AND id > ? ORDER BY id LIMIT ?',
          number,
          reconcileRun,
          after,
          READ_KEYS,
        ),
      );
      if (candidates.length === 0) {
        return;
      }
      after = (candidates.at(-1) as Candidate).id;
      const versions = await this.#remote.read(candidates.map(({ id }) => id));
      await this.#apply(versions, new Map(candidates.map(({ id, etag }) => [id, etag])));
    }
  }

  async #apply(versions: ReadonlyMap<string, RemoteVersion | undefined>, expected: ReadonlyMap<string, string> | undefined): Promise<void> {
    const results = await this.#context.database.write(() => this.#applyAll(versions, expected));
    for (const applied of results) {
      countApplied(this.#context, this.#report, applied);
    }
  }

  *#applyAll(
    versions: ReadonlyMap<string, RemoteVersion | undefined>,
    expected: ReadonlyMap<string, string> | undefined,
  ): Program<readonly Applied[]> {
    const results: Applied[] = [];
    for (const [id, version] of versions) {
      const options = {
        authoritative: true,
        mayBePending: true,
        restored: this.#restored ? reclaim : undefined,
        expectedEtag: expected?.get(id),
      };
      results.push(yield* applyRemote(this.#context, this.#remote.scope, id, version, options));
    }
    yield* this.#context.clock.save();
    return results;
  }

  *#end(): Program<void> {
    yield* updateScope(this.#remote.scope.number, {
      reconcile_open: 0,
      restored: 0,
      reconcile_continuation: null,
      last_reconcile_ms: this.#context.runtime.nowMs(),
    });
  }
}
