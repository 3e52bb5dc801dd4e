import { isPerigeeError, throwIfAborted } from '../../core/errors.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { pendingAmong, readDevicePage, type DevicePage } from './device-entries.ts';
import { hasPending } from '../push/outbox.ts';
import { RangeDigests, rangeOf, type SideEntry } from './range-digests.ts';
import { defectOf, reload } from './reload.ts';
import { remoteEntry, remoteEntryOf, type RemoteEntry } from './remote-entry.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import type { SyncContext } from '../sync-context.ts';
import type { ReportBuilder } from '../sync-report.ts';
import type { DefectKind, DifferenceList } from './verify-report.ts';
import type { RemoteVersion } from '../remote/wire-stamp.ts';

/** Remote documents of ranges that differ, held at a time to find out which. */
const HELD_ENTRIES = 50_000;
/** Documents read at once to make sure. */
const READ_KEYS = 100;

/** What a comparison of one scope works with. */
export interface VerificationInput {
  readonly context: SyncContext;
  readonly remote: RemoteSession;
  readonly report: ReportBuilder;
  readonly found: DifferenceList;
  readonly signal: AbortSignal;
  /** No further request is made once the report counts this many. */
  readonly limit: number;
  /** Brings what differs to what the remote holds; counts what it does. */
  readonly mending: { reloaded: number; journaled: number } | undefined;
}

interface EntryPage {
  readonly entries: readonly RemoteEntry[];
  readonly continuation: string | undefined;
}

/** The request units given are used up. */
class LimitReached extends Error {}

/**
 * Compares one scope. Both sides are read once and folded into digests of ranges, without what is pending; only ranges that differ are looked at by
 * id, for which the remote is listed again. Both sides go on meanwhile, and a stamp may be stale, so what seems to differ is read by id
 * before it is called so. Locally that is one transaction, in which a repair mends it.
 */
export class Verification {
  readonly #input: VerificationInput;
  #looked = 0;

  constructor(input: VerificationInput) {
    this.#input = input;
  }

  /** Gives whether it came to its end. */
  async run(): Promise<boolean> {
    try {
      await this.#compare();
      return true;
    } catch (error) {
      if (error instanceof LimitReached) {
        return false;
      }
      throw error;
    }
  }

  async #compare(): Promise<void> {
    const { found } = this.#input;
    const device = new RangeDigests();
    for await (const entries of this.#device()) {
      entries.forEach((entry) => device.add(entry));
      found.documentsOnDevice += entries.length;
    }
    const remote = new RangeDigests();
    for await (const entries of this.#remote()) {
      entries.forEach((entry) => remote.add(entry));
      found.documentsAtRemote += entries.length;
    }
    for (const group of remote.differing(device, HELD_ENTRIES)) {
      await this.#compareIn(group);
    }
  }

  /** Compares some ranges by id. */
  async #compareIn(ranges: ReadonlySet<number>): Promise<void> {
    const held = new Map<string, RemoteEntry>();
    for await (const entries of this.#remote()) {
      for (const entry of entries) {
        if (ranges.has(rangeOf(entry.id))) {
          held.set(entry.id, entry);
        }
      }
    }
    let doubtful: [string, DefectKind][] = [];
    for await (const entries of this.#device()) {
      for (const { id, etag, digest } of entries) {
        if (ranges.has(rangeOf(id))) {
          const theirs = held.get(id);
          held.delete(id);
          if (theirs?.etag !== etag || theirs.digest !== digest) {
            doubtful.push([id, theirs === undefined ? 'missing-at-remote' : 'different']);
          }
        }
      }
      while (doubtful.length >= READ_KEYS) {
        await this.#settle(doubtful.splice(0, READ_KEYS));
      }
    }
    doubtful = [...doubtful, ...[...held.keys()].map((id): [string, DefectKind] => [id, 'missing-on-device'])];
    for (let at = 0; at < doubtful.length; at += READ_KEYS) {
      await this.#settle(doubtful.slice(at, at + READ_KEYS));
    }
  }

  /** Makes sure of what seems to differ, and mends it where asked to. What has no room to be named is counted as it seems. */
  async #settle(doubtful: readonly (readonly [id: string, kind: DefectKind])[]): Promise<void> {
    const { context, remote, found, mending } = this.#input;
    if (mending === undefined && found.room <= 0) {
      doubtful.forEach(([, kind]) => (found.counts[kind] += 1));
      return;
    }
    this.#checkLimit();
    const versions = await remote.read(doubtful.map(([id]) => id));
    const settled = await context.database.write(() => this.#settleAll(versions));
    const { container, partitionKey } = remote.scope;
    for (const { id, kind, journaled } of settled) {
      found.add({ container, partitionKey, id, kind });
      if (mending !== undefined) {
        mending.reloaded += 1;
        mending.journaled += journaled ? 1 : 0;
      }
    }
  }

  *#settleAll(
    versions: ReadonlyMap<string, RemoteVersion | undefined>,
  ): Program<readonly { readonly id: string; readonly kind: DefectKind; readonly journaled: boolean }[]> {
    const { context, remote, mending } = this.#input;
    const settled = [];
    for (const [id, version] of versions) {
      const kind = yield* defectOf(remote.scope, id, version);
      if (kind !== undefined) {
        settled.push({ id, kind, journaled: mending !== undefined && (yield* reload(context, remote.scope, id, version)) });
      }
    }
    return settled;
  }

  /** What the device holds, page by page in the order of ids. */
  async *#device(): AsyncGenerator<readonly SideEntry[]> {
    const { context, remote, signal } = this.#input;
    for (let after: string | undefined = ''; after !== undefined;) {
      throwIfAborted(signal);
      const behind: string = after;
      const page: DevicePage = await context.database.read(() => readDevicePage(remote.scope, behind));
      yield page.entries;
      after = page.last;
      await context.runtime.yieldTask();
    }
  }

  /** What the remote holds, page by page in whatever order, without what is pending on the device. */
  async *#remote(): AsyncGenerator<readonly RemoteEntry[]> {
    const { context, remote } = this.#input;
    const { number, container, partitionKey } = remote.scope;
    let continuation: string | undefined;
    do {
      this.#checkLimit();
      const page = await this.#nextPage(continuation);
      const ids = page.entries.map(({ id }) => id);
      const pending = (await context.database.read(() => hasPending(number)))
        ? await context.database.read(() => pendingAmong(number, ids))
        : new Set<string>();
      yield page.entries.filter(({ id, deleted }) => !deleted && !pending.has(id));
      this.#looked += page.entries.length;
      context.events.emit('progress', { container, partitionKey, phase: 'verify', done: this.#looked, total: undefined });
      ({ continuation } = page);
    } while (continuation !== undefined);
  }

  /** A session that the remote has not reached, as after it was restored, is given up before the first page. */
  async #nextPage(continuation: string | undefined): Promise<EntryPage> {
    const { remote } = this.#input;
    try {
      return await this.#entries(continuation);
    } catch (error) {
      if (continuation !== undefined || remote.session === undefined || !isPerigeeError(error, 'SESSION_NOT_AVAILABLE')) {
        throw error;
      }
      remote.forgetSession();
      return this.#entries(undefined);
    }
  }

  async #entries(from: string | undefined): Promise<EntryPage> {
    const { context, remote } = this.#input;
    const { form } = remote.scope;
    // Documents without a stamp come whole, as those of a pull do.
    const { items, continuation } = await remote.list(remoteEntryOf(form), from, context.pageItems);
    return { entries: items.map((item) => remoteEntry(item, form)), continuation };
  }

  #checkLimit(): void {
    if (this.#input.report.requestUnits >= this.#input.limit) {
      throw new LimitReached();
    }
  }
}
