import { PerigeeError, isPerigeeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { JsonObject } from '../../core/json.ts';
import { STORE_LIMITS } from '../../store/limits.ts';
import type { OperationOutcome } from '../../store/operations.ts';
import { prepareDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { applyRemote } from '../decide/apply.ts';
import { writeBase } from '../state/base-versions.ts';
import { CONFLICT_CODES } from '../decide/conflict-codes.ts';
import { countApplied } from '../decide/count-applied.ts';
import { describeDeadLetters } from '../dead-letters/describe-dead-letters.ts';
import { settleEpoch } from '../pull/epoch.ts';
import { lineageText } from '../remote/lineage.ts';
import { nextMarker, noteMarker, writtenMarker, type Marker, type MarkerWrite } from '../pull/markers.ts';
import { advancePending, clearPending, forgetTouched, highestGeneration, listSendable, NO_BASE, rejectPending } from './outbox.ts';
import type { RemoteSession } from '../remote/remote-session.ts';
import { readScope, updateScope, type Scope } from '../state/scope.ts';
import { isMarkerDue, isPartial, loadBatch, outcomesOf, type SendItem } from './send-batch.ts';
import type { SyncContext } from '../sync-context.ts';
import type { RejectedReport, ReportBuilder } from '../sync-report.ts';
import { expireWith, type Applied } from '../decide/take-remote.ts';
import { readRemote, remoteOrder, type RemoteVersion } from '../remote/wire-stamp.ts';

/** Pending keys held in memory at once. */
const QUEUE_KEYS = 10_000;
/** Conflicts of one document in one push; a document that others write all the time waits for the next run. */
const MAX_TRIES = 5;
/** Conflicts put off in one push until a write has taught the clock. */
const MAX_PUT_OFF = 3;
/** Refusals of the device's marker in one push. */
const MAX_UNMARKED = 5;

/** Codes of a whole request that a single document may be the cause of. */
const DOCUMENT_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_REQUEST',
  'INVALID_ID',
  'INVALID_DOCUMENT',
  'VALIDATION_FAILED',
  'PARTITION_KEY_MISMATCH',
  'TOO_LARGE',
]);

/** Codes of a store that takes no patches, or not in a batch. */
const PATCH_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['INVALID_PATCH', 'NOT_SUPPORTED']);
/** Decisions after which a write is still to be sent. */
const OPEN_DECISIONS: ReadonlySet<Applied['decision']> = new Set(['follows', 'recreate', 'local', 'merged'] as const);

/** How a version that the remote holds is brought together with what is pending. */
export type Settle = (context: SyncContext, scope: Scope, id: string, remote: RemoteVersion | undefined) => Program<Applied>;

/** The rule of a normal push: {@link applyRemote}. */
export const settleByPolicy: Settle = (context, scope, id, remote) =>
  applyRemote(context, scope, id, remote, { authoritative: true, mayBePending: true });

/** The rule of a forced push: what is pending stays. */
export const settleForced: Settle = (context, scope, id, remote) =>
  applyRemote(context, scope, id, remote, { authoritative: true, mayBePending: true, forced: true });

/** Sends what is pending in one scope. */
export class Push {
  readonly #context: SyncContext;
  readonly #remote: RemoteSession;
  readonly #scope: Scope;
  readonly #report: ReportBuilder;
  readonly #settle: Settle;
  readonly #tries = new Map<string, number>();
  /** Dead letters that nobody was told of yet. */
  readonly #rejected: RejectedReport[] = [];
  #queue: string[] = [];
  #limit: number = STORE_LIMITS.batchOperations;
  #done = 0;
  #putOff = 0;
  #sessionDoubted = false;
  #unmarkedBatches = 0;
  #patches = true;

  constructor(context: SyncContext, remote: RemoteSession, report: ReportBuilder, settle: Settle = settleByPolicy) {
    this.#context = context;
    this.#remote = remote;
    this.#scope = remote.scope;
    this.#report = report;
    this.#settle = settle;
  }

  /** Sends everything that was pending when it began, in the order of the writes. */
  async all(): Promise<void> {
    const { database } = this.#context;
    const upTo = await database.read(() => highestGeneration(this.#scope.number));
    for (let after = 0; after < upTo;) {
      const keys = await database.read(() => listSendable(this.#scope.number, after, upTo, QUEUE_KEYS));
      after = keys.at(-1)?.generation ?? upTo;
      await this.ids(keys.map(({ id }) => id));
    }
    await this.#markTheRest();
  }

  /** Sends the marker alone, where it has been due since something was sent without. */
  async #markTheRest(): Promise<void> {
    const { database } = this.#context;
    const { number } = this.#scope;
    while (isMarkerDue(this.#context, this.#scope) && (await database.read(() => readScope(number))).unmarked === 1) {
      await this.#send([], await database.write(() => nextMarker(this.#context, this.#scope, this.#remote.store.definition)));
    }
  }

  /** Sends the pending writes of some documents. */
  async ids(ids: readonly string[]): Promise<void> {
    this.#queue = [...ids];
    try {
      while (this.#queue.length > 0) {
        const isMarked = isMarkerDue(this.#context, this.#scope);
        const candidates = this.#queue.slice(0, Math.min(this.#limit, STORE_LIMITS.batchOperations - (isMarked ? 1 : 0)));
        const batch = await this.#context.database.write(() =>
          loadBatch(this.#context, this.#remote, candidates, { patches: this.#patches }),
        );
        this.#queue.splice(0, batch.consumed);
        if (batch.items.length > 0) {
          await this.#send(batch.items, batch.marker);
        }
      }
      await describeDeadLetters(this.#context, this.#remote);
    } finally {
      for (const rejected of this.#rejected.splice(0)) {
        this.#context.events.emit('deadLetter', rejected);
      }
    }
  }

  /** Sends the pending writes of some documents on top of whatever the remote holds at this moment. */
  async onTop(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += this.#limit) {
      await this.#reconsider(ids.slice(at, at + this.#limit));
    }
    await this.ids(ids);
  }

  async #send(items: readonly SendItem[], marker: MarkerWrite | undefined): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + item.bytes, marker?.bytes ?? 0);
    const marking = marker === undefined ? [] : [marker.operation];
    let outcomes: readonly OperationOutcome<JsonObject>[];
    let committed: boolean;
    try {
      ({ outcomes, committed } = await this.#remote.batch([...marking, ...items.flatMap((item) => item.operations)], bytes));
    } catch (error) {
      if (!this.#sessionDoubted && (await this.#remote.giveUpSession(error))) {
        // Another store under the old name refuses a session that is not its own; no document is to blame for that.
        this.#sessionDoubted = true;
        this.#queue.unshift(...items.map(({ id }) => id));
        return;
      }
      if (isPerigeeError(error) && PATCH_CODES.has(error.code) && items.some(isPartial)) {
        await this.#sendWhole(items, error);
        return;
      }
      if (!isPerigeeError(error) || !DOCUMENT_CODES.has(error.code)) {
        throw error;
      }
      await this.#isolate(items, error);
      return;
    }
    const own = outcomesOf(items, outcomes.slice(marking.length));
    if (committed) {
      await this.#acknowledge(items, own, marker === undefined ? undefined : writtenMarker(marker, outcomes[0]));
      this.#grow();
    } else if (marker !== undefined && outcomes[0]?.ok === false && outcomes[0].error.code !== 'FAILED_DEPENDENCY') {
      await this.#unmarked(items, outcomes[0].error);
    } else {
      await this.#refused(items, own);
    }
  }

  /** The whole request was refused because of one of its documents, and nobody says which: halves find it. */
  async #isolate(items: readonly SendItem[], error: PerigeeError): Promise<void> {
    if (items.length === 1 && items.some(isPartial)) {
      await this.#sendWhole(items, error);
    } else if (items.length === 1) {
      await this.#reject(items[0] as SendItem, error);
      this.#grow();
    } else {
      this.#limit = Math.ceil(items.length / 2);
      this.#queue.unshift(...items.map(({ id }) => id));
    }
  }

  /** Patches were refused as such: it need not be the documents that are to blame, so they are sent whole. */
  async #sendWhole(items: readonly SendItem[], error: PerigeeError, again: readonly SendItem[] = items): Promise<void> {
    if (error.code === 'NOT_SUPPORTED') {
      this.#patches = false;
    }
    await this.#context.database.write(() => forgetAll(this.#scope, items));
    this.#queue.unshift(...again.map(({ id }) => id));
  }

  /** Batches grow again step by step: where many documents are refused, each of them must not cost all the halvings anew. */
  #grow(): void {
    this.#limit = Math.min(STORE_LIMITS.batchOperations, this.#limit * 2);
  }

  /** The marker was refused: somebody else wrote it in the device's name, or the remote has forgotten it. */
  async #unmarked(items: readonly SendItem[], error: PerigeeError): Promise<void> {
    this.#unmarkedBatches += 1;
    if (!CONFLICT_CODES.has(error.code) || this.#unmarkedBatches > MAX_UNMARKED) {
      throw error;
    }
    await settleEpoch(this.#context, this.#remote, this.#report, 'at-once');
    this.#queue.unshift(...items.map(({ id }) => id));
  }

  async #acknowledge(
    items: readonly SendItem[],
    outcomes: readonly (OperationOutcome<JsonObject> | undefined)[],
    marker: Marker | undefined,
  ): Promise<void> {
    const others = await this.#context.database.write(() => this.#acknowledged(items, outcomes, marker));
    this.#scope.markedAtMs = marker === undefined ? this.#scope.markedAtMs : this.#context.runtime.monotonicMs();
    await this.#context.probe?.('after-local-commit');
    for (const [id, applied] of others) {
      countApplied(this.#context, this.#report, applied);
      if (OPEN_DECISIONS.has(applied.decision)) {
        this.#queue.unshift(id);
      }
    }
    this.#report.pushed += items.length - others.size;
    this.#done += items.length - others.size;
    const { container, partitionKey } = this.#scope;
    this.#context.events.emit('progress', { container, partitionKey, phase: 'push', done: this.#done, total: undefined });
  }

  /** The base advances in any case; the pending row goes only if nothing was written meanwhile. */
  *#acknowledged(
    items: readonly SendItem[],
    outcomes: readonly (OperationOutcome<JsonObject> | undefined)[],
    marker: Marker | undefined,
  ): Program<Map<string, Applied>> {
    const { number, reconcileRun, paths, form } = this.#scope;
    const others = new Map<string, Applied>();
    if (marker !== undefined) {
      yield* noteMarker(this.#scope, marker);
    }
    for (const [index, item] of items.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok !== true || outcome.document === undefined || outcome.etag === undefined) {
        throw new PerigeeError('BAD_RESPONSE', 'The remote store committed a batch and gave no document for one of its writes.');
      }
      const version = isPartial(item) ? readRemote(outcome.document, outcome.position, form) : undefined;
      if (version !== undefined && remoteOrder(version, 0).write === '') {
        // The remote made something else of the patches than the device has.
        others.set(item.id, yield* this.#settle(this.#context, this.#scope, item.id, version));
        continue;
      }
      const ts = outcome.document._ts;
      const { id, deleted, body } = item;
      const lineage = item.lineage === undefined ? null : lineageText(item.lineage);
      yield* writeBase(number, id, { etag: outcome.etag, ts, position: outcome.position, deleted, lineage }, reconcileRun);
      if (!(yield* clearPending(number, id, item.generation))) {
        const text = item.lineage === undefined ? null : deleted ? NO_BASE : JSON.stringify(body);
        yield* advancePending(number, id, { text, remote: null, keepsTouched: true });
      } else if (!deleted) {
        yield* expireWith(this.#scope, prepareDocument(body, paths), ts);
      }
    }
    yield* updateScope(number, { session: this.#remote.session ?? null, unmarked: marker === undefined ? 1 : 0 });
    yield* this.#context.clock.save();
    void this.#context.probe?.('before-local-commit');
    return others;
  }

  /** Nothing of the batch was applied: deals with the operation that is to blame, and lets the others be sent again at once. */
  async #refused(items: readonly SendItem[], outcomes: readonly (OperationOutcome<JsonObject> | undefined)[]): Promise<void> {
    const index = outcomes.findIndex((outcome) => outcome?.ok === false && outcome.error.code !== 'FAILED_DEPENDENCY');
    const outcome = outcomes[index];
    const culprit = items[index];
    if (outcome === undefined || outcome.ok || culprit === undefined) {
      throw new PerigeeError('BAD_RESPONSE', 'The remote store refused a batch and blamed none of its operations.');
    }
    const { error } = outcome;
    if (CONFLICT_CODES.has(error.code)) {
      await (this.#canPutOff(items) ? this.#decideLater(items, culprit) : this.#conflicted(items, culprit, error));
    } else if (isPartial(culprit) && (error.category === 'data' || PATCH_CODES.has(error.code))) {
      await this.#sendWhole([culprit], error, items);
    } else if (error.category !== 'data' && error.code !== 'FORBIDDEN') {
      throw error;
    } else {
      await this.#reject(culprit, error);
      this.#queue.unshift(...items.filter((item) => item !== culprit).map(({ id }) => id));
    }
  }

  /** Whether the clock has yet to learn how far it is off, and another write of the batch may teach it before a conflict is decided by stamps. */
  #canPutOff(items: readonly SendItem[]): boolean {
    return !this.#context.clock.offset.known && items.length > 1 && this.#putOff < MAX_PUT_OFF;
  }

  #decideLater(items: readonly SendItem[], culprit: SendItem): Promise<void> {
    this.#putOff += 1;
    this.#queue.unshift(...items.filter((item) => item !== culprit).map(({ id }) => id));
    this.#queue.push(culprit.id);
    this.#limit = Math.max(1, items.length - 1);
    return Promise.resolve();
  }

  /** Asks for all documents of the batch at once, so that several conflicts cost one round. */
  async #conflicted(items: readonly SendItem[], culprit: SendItem, error: PerigeeError): Promise<void> {
    const results = await this.#reconsider(items.map(({ id }) => id));
    const again: string[] = [];
    for (const { id } of items) {
      const { decision, advanced } = results.get(id) as Applied;
      if (!OPEN_DECISIONS.has(decision)) {
        continue;
      }
      if (id !== culprit.id) {
        again.push(id);
        continue;
      }
      const tries = (this.#tries.get(id) ?? 0) + 1;
      this.#tries.set(id, tries);
      if (error.code === 'CONFLICT' && advanced !== true) {
        // Not this document but a unique key is taken, maybe by one that gives it up later in the queue.
        if (tries > 1) {
          await this.#reject(culprit, error);
        } else {
          this.#queue.push(id);
        }
      } else if (tries <= MAX_TRIES) {
        again.push(id);
      }
    }
    this.#queue.unshift(...again);
  }

  /** Reads what the remote holds and settles it with what is pending, in one transaction. */
  async #reconsider(ids: readonly string[]): Promise<Map<string, Applied>> {
    const versions = await this.#remote.read(ids);
    const results = await this.#context.database.write(() => this.#settleAll(versions));
    for (const [id, applied] of results) {
      countApplied(this.#context, this.#report, applied);
      this.#report.pushed += applied.decision === 'acknowledged' ? 1 : 0;
      if (applied.decision === undefined) {
        this.#tries.delete(id);
      }
    }
    return results;
  }

  *#settleAll(versions: ReadonlyMap<string, RemoteVersion | undefined>): Program<Map<string, Applied>> {
    const results = new Map<string, Applied>();
    for (const [id, remote] of versions) {
      results.set(id, yield* this.#settle(this.#context, this.#scope, id, remote));
    }
    yield* updateScope(this.#scope.number, { session: this.#remote.session ?? null });
    yield* this.#context.clock.save();
    return results;
  }

  async #reject(item: SendItem, error: PerigeeError): Promise<void> {
    const { database, runtime } = this.#context;
    const { number, container, partitionKey } = this.#scope;
    if (await database.write(() => rejectPending(number, item.id, item.generation, error, runtime.nowMs()))) {
      const rejected = { container, partitionKey, id: item.id, code: error.code };
      this.#report.reject(rejected);
      this.#rejected.push(rejected);
    }
  }
}

function* forgetAll(scope: Scope, items: readonly SendItem[]): Program<void> {
  for (const { id } of items) {
    yield* forgetTouched(scope.number, id);
  }
}
