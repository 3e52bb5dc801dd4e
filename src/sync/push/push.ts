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
import { loadPart, partNow } from '../load-part.ts';
import { describeDeadLetters } from '../dead-letters/describe-dead-letters.ts';
import { settleEpoch } from '../pull/epoch.ts';
import { lineageText } from '../remote/lineage.ts';
import { nextMarker, noteMarker, writtenMarker, type Marker, type MarkerWrite } from '../pull/markers.ts';
import { clearSent, documentOf, isGroup, readFirst, readUnit, rejectSent, unitOf, type Unit } from './groups.ts';
import { advancePending, forgetTouched, highestGeneration, listSendable, NO_BASE } from './outbox.ts';
import { readWithoutDoubt } from '../remote/read-without-doubt.ts';
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

/** How what is pending is sent. */
export interface PushOptions {
  /** What is pending stays, whatever the remote holds and the policy says. */
  readonly forced: boolean;
}

/** Sends what is pending in one scope. */
export class Push {
  readonly #context: SyncContext;
  readonly #remote: RemoteSession;
  readonly #scope: Scope;
  readonly #report: ReportBuilder;
  readonly #forced: boolean;
  /** Rows that each unit failed for, the latest first. */
  readonly #tries = new Map<Unit, readonly string[]>();
  /** Dead letters that nobody was told of yet. */
  readonly #rejected: RejectedReport[] = [];
  #queue: Unit[] = [];
  #limit: number = STORE_LIMITS.batchOperations;
  #done = 0;
  #putOff = 0;
  #sessionDoubted = false;
  #unmarkedBatches = 0;
  #patches = true;

  constructor(context: SyncContext, remote: RemoteSession, report: ReportBuilder, { forced }: PushOptions = { forced: false }) {
    this.#context = context;
    this.#remote = remote;
    this.#scope = remote.scope;
    this.#report = report;
    this.#forced = forced;
  }

  /** Sends everything that was pending when it began, in the order of the writes. */
  async all(): Promise<void> {
    const { database } = this.#context;
    const upTo = await database.read(() => highestGeneration(this.#scope.number));
    for (let after = 0; after < upTo;) {
      const keys = await database.read(() => listSendable(this.#scope.number, after, upTo, QUEUE_KEYS));
      after = keys.at(-1)?.generation ?? upTo;
      await this.units([...new Set(keys.map(unitOf))]);
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

  /** Sends some documents and groups. */
  async units(units: readonly Unit[]): Promise<void> {
    this.#queue = [...units];
    try {
      while (this.#queue.length > 0) {
        const isMarked = isMarkerDue(this.#context, this.#scope);
        const candidates = this.#queue.slice(0, Math.min(this.#limit, STORE_LIMITS.batchOperations - (isMarked ? 1 : 0)));
        const batch = await this.#context.database.write(() =>
          loadBatch(this.#context, this.#remote, candidates, { patches: this.#patches }),
        );
        this.#queue.splice(0, batch.consumed);
        this.#queue.push(...batch.behind.filter(({ first }) => this.#queue.includes(first)).map(({ unit }) => unit));
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

  /** Sends some documents and groups on top of whatever the remote holds at this moment. */
  async onTop(units: readonly Unit[]): Promise<void> {
    for (let at = 0; at < units.length; at += this.#limit) {
      await this.#reconsider(units.slice(at, at + this.#limit));
    }
    await this.units(units);
  }

  async #send(items: readonly SendItem[], marker: MarkerWrite | undefined): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + item.bytes, marker?.bytes ?? 0);
    const marking = marker === undefined ? [] : [marker.operation];
    let outcomes: readonly OperationOutcome<JsonObject>[];
    let committed: boolean;
    if (this.#context.atRisk.losers) {
      await this.#context.database.flush();
      this.#context.atRisk.losers = items.length === 0;
    }
    try {
      ({ outcomes, committed } = await this.#remote.batch([...marking, ...items.flatMap((item) => item.operations)], bytes));
    } catch (error) {
      if (!this.#sessionDoubted && (await this.#remote.giveUpSession(error))) {
        // Another store under the old name refuses a session that is not its own; no document is to blame for that.
        this.#sessionDoubted = true;
        this.#queue.unshift(...unitsIn(items));
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
    const units = unitsIn(items);
    if (units.length > 1) {
      this.#limit = Math.ceil(units.length / 2);
      this.#queue.unshift(...units);
    } else if (items.some(isPartial)) {
      await this.#sendWhole(items, error);
    } else {
      await this.#reject(items[0] as SendItem, error);
      this.#grow();
    }
  }

  /** Patches were refused as such: it need not be the documents that are to blame, so they are sent whole. */
  async #sendWhole(items: readonly SendItem[], error: PerigeeError, again: readonly SendItem[] = items): Promise<void> {
    if (error.code === 'NOT_SUPPORTED') {
      this.#patches = false;
    }
    await this.#context.database.write(() => forgetAll(this.#scope, items));
    this.#queue.unshift(...unitsIn(again));
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
    this.#queue.unshift(...unitsIn(items));
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
      if (isOpen(applied)) {
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
        others.set(item.id, yield* this.#settle(item.id, version));
        continue;
      }
      const ts = outcome.document._ts;
      const { id, deleted, body } = item;
      const lineage = item.lineage === undefined ? null : lineageText(item.lineage);
      yield* writeBase(number, id, { etag: outcome.etag, ts, position: outcome.position, deleted, lineage }, reconcileRun);
      const cleared = yield* clearSent(number, item);
      const next = cleared === 'current' ? undefined : yield* readFirst(number, id);
      if (next !== undefined) {
        const text = item.lineage === undefined ? null : deleted ? NO_BASE : JSON.stringify(body);
        yield* advancePending(number, next.id, { text, remote: null, keepsTouched: true });
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
      this.#queue.unshift(...unitsIn(items).filter((unit) => unit !== culprit.unit));
    }
  }

  /** Whether the clock has yet to learn how far it is off, and another write of the batch may teach it before a conflict is decided by stamps. */
  #canPutOff(items: readonly SendItem[]): boolean {
    return !this.#context.clock.offset.known && unitsIn(items).length > 1 && this.#putOff < MAX_PUT_OFF;
  }

  #decideLater(items: readonly SendItem[], culprit: SendItem): Promise<void> {
    this.#putOff += 1;
    const others = unitsIn(items).filter((unit) => unit !== culprit.unit);
    this.#queue.unshift(...others);
    this.#queue.push(culprit.unit);
    this.#limit = Math.max(1, others.length);
    return Promise.resolve();
  }

  /** Asks for all documents of the batch at once, so that several conflicts cost one round. */
  async #conflicted(items: readonly SendItem[], culprit: SendItem, error: PerigeeError): Promise<void> {
    const units = unitsIn(items);
    const results = await this.#reconsider(units);
    const again: Unit[] = [];
    for (const unit of units) {
      const applied = results.get(unit) ?? [];
      if (!applied.some(isOpen)) {
        continue;
      }
      if (unit !== culprit.unit) {
        again.push(unit);
        continue;
      }
      // By document: several of a transaction may each meet somebody else's once.
      const rows = [culprit.rowId, ...(this.#tries.get(unit) ?? [])];
      this.#tries.set(unit, rows);
      const tries = rows.filter((row) => row === rows[0]).length;
      if (error.code === 'CONFLICT' && !applied.some(({ advanced }) => advanced === true)) {
        // Not this document but a unique key is taken, maybe by one that gives it up later in the queue.
        if (tries > 1) {
          await this.#reject(culprit, error);
        } else {
          this.#queue.push(unit);
        }
      } else if (tries <= MAX_TRIES) {
        again.push(unit);
      }
    }
    this.#queue.unshift(...again);
  }

  /** Reads what the remote holds and settles it with what is pending, in one transaction. */
  async #reconsider(units: readonly Unit[]): Promise<ReadonlyMap<Unit, readonly Applied[]>> {
    const { database } = this.#context;
    const ids = await database.read(() => documentsOf(this.#scope.number, units));
    const versions = await readWithoutDoubt(this.#remote, ids);
    if (units.some(isGroup)) {
      await loadPart(this.#context.late.groups, this.#remote.signal);
    }
    const results = await database.write(() => this.#settleAll(units, versions));
    for (const [unit, applied] of results) {
      for (const one of applied) {
        countApplied(this.#context, this.#report, one);
        this.#report.pushed += one.decision === 'acknowledged' ? 1 : 0;
      }
      if (applied.every(({ decision }) => decision === undefined)) {
        this.#tries.delete(unit);
      }
    }
    return results;
  }

  *#settleAll(units: readonly Unit[], versions: ReadonlyMap<string, RemoteVersion | undefined>): Program<Map<Unit, readonly Applied[]>> {
    const results = new Map<Unit, readonly Applied[]>();
    for (const unit of units) {
      results.set(
        unit,
        isGroup(unit)
          ? yield* partNow(this.#context.late.groups).settleGroup(this.#context, this.#scope, unit, versions, { forced: this.#forced })
          : [yield* this.#settle(unit, versions.get(unit))],
      );
    }
    yield* updateScope(this.#scope.number, { session: this.#remote.session ?? null });
    yield* this.#context.clock.save();
    return results;
  }

  *#settle(id: string, remote: RemoteVersion | undefined): Program<Applied> {
    return yield* applyRemote(this.#context, this.#scope, id, remote, { authoritative: true, mayBePending: true, forced: this.#forced });
  }

  async #reject(item: SendItem, error: PerigeeError): Promise<void> {
    const { database, runtime } = this.#context;
    const { number, container, partitionKey } = this.#scope;
    if (await database.write(() => rejectSent(number, item, error, runtime.nowMs()))) {
      const rejected = { container, partitionKey, id: item.id, code: error.code };
      this.#report.reject(rejected);
      this.#rejected.push(rejected);
    }
  }
}

function* forgetAll(scope: Scope, items: readonly SendItem[]): Program<void> {
  for (const { rowId } of items) {
    yield* forgetTouched(scope.number, rowId);
  }
}

function unitsIn(items: readonly SendItem[]): readonly Unit[] {
  return [...new Set(items.map(({ unit }) => unit))];
}

/** Documents of some units. */
function* documentsOf(scope: number, units: readonly Unit[]): Program<readonly string[]> {
  const ids = new Set<string>();
  for (const unit of units) {
    const members = isGroup(unit) ? (yield* readUnit(scope, unit)).map((row) => documentOf(row.id)) : [unit];
    members.forEach((id) => ids.add(id));
  }
  return [...ids];
}

/** Whether a write is still to be sent. */
function isOpen({ decision }: Applied): boolean {
  return OPEN_DECISIONS.has(decision);
}
