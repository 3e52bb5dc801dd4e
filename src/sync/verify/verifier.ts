import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { all, get } from '../../stores/sqlite/driver.ts';
import { settleEpoch } from '../pull/epoch.ts';
import { RemoteSession } from '../remote/remote-session.ts';
import type { Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import type { RepairOptions, SyncRunOptions, VerifyOptions } from '../sync-options.ts';
import { ReportBuilder, type SyncReport } from '../sync-report.ts';
import { Verification } from './verification.ts';
import { DifferenceList, type RepairReport, type VerifyReport } from './verify-report.ts';

const DEFAULT_MAX_NAMED = 1000;

/** What a verifier needs of its engine. */
export interface VerifierInput {
  readonly context: SyncContext;
  readonly scopes: readonly Scope[];
  /** The remote store of a container. */
  readonly remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  /** Does work while no run is under way; the signal also aborts when the engine closes. */
  readonly alone: <R>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<R>) => Promise<R>;
  /** A run that reconciles. */
  readonly reconcile: (options: SyncRunOptions) => Promise<SyncReport>;
}

/** Compares both sides of every scope, and mends what differs. */
export class Verifier {
  readonly #input: VerifierInput;

  constructor(input: VerifierInput) {
    this.#input = input;
  }

  /** Compares. */
  verify(options: VerifyOptions): Promise<VerifyReport> {
    checkOptions(options);
    return this.#input.alone(options.signal, (signal) => this.#compare(options, signal, undefined));
  }

  /** Compares and brings what differs with nothing pending to what the remote holds, runs, and compares again. */
  async repair(options: RepairOptions): Promise<RepairReport> {
    checkOptions(options);
    const { alone, reconcile, context } = this.#input;
    const mending = { reloaded: 0, journaled: 0 };
    const before = await alone(options.signal, async (signal) => {
      const report = await this.#compare(options, signal, mending);
      if (mending.reloaded > 0) {
        await context.database.flush();
      }
      return report;
    });
    const run = await reconcile({ signal: options.signal });
    if (run.error !== undefined) {
      throw run.error;
    }
    const after = await alone(options.signal, (signal) => this.#compare(options, signal, undefined));
    return { before, after, ...mending, run };
  }

  async #compare(
    options: VerifyOptions,
    signal: AbortSignal,
    mending: { reloaded: number; journaled: number } | undefined,
  ): Promise<VerifyReport> {
    const { context, scopes, remote: remoteOf } = this.#input;
    const startedAtMs = context.runtime.nowMs();
    const startedMs = context.runtime.monotonicMs();
    const report = new ReportBuilder(startedAtMs);
    const found = new DifferenceList(options.maxNamed ?? DEFAULT_MAX_NAMED);
    const limit = options.maxRequestUnits ?? Number.POSITIVE_INFINITY;
    let complete = true;
    for (const scope of scopes) {
      const remote = await RemoteSession.open(context, scope, { remote: remoteOf, report, signal });
      if (mending !== undefined) {
        // What a restored remote has forgotten is to be sent again, not given up.
        scope.epochCheckedAtMs = undefined;
        await settleEpoch(context, remote, report);
      }
      const input = { context, remote, report, found, signal, limit, mending };
      complete = complete && (await new Verification(input).run());
    }
    for (const scope of scopes) {
      await this.#addPending(scope, found);
    }
    const { counts, named, defects, documentsOnDevice, documentsAtRemote } = found;
    return {
      equal: complete && found.total === 0,
      complete,
      defects,
      counts: { ...counts },
      differences: named,
      documentsOnDevice,
      documentsAtRemote,
      startedAtMs,
      durationMs: context.runtime.monotonicMs() - startedMs,
      requests: report.requests,
      requestUnits: report.requestUnits,
    };
  }

  /** Counts what is pending, and names as much of it as there is room for. */
  async #addPending(scope: Scope, found: DifferenceList): Promise<void> {
    const { database } = this.#input.context;
    const { number, container, partitionKey } = scope;
    const counted = await database.read(() =>
      get<{ waiting: number; rejected: number }>(
        `SELECT count(*) FILTER (WHERE rejected_code IS NULL) AS waiting, count(rejected_code) AS rejected
         FROM sync_outbox WHERE scope = ? AND frozen IS NULL`,
        number,
      ),
    );
    found.counts['dead-letter'] += counted?.rejected ?? 0;
    found.counts.pending += counted?.waiting ?? 0;
    const rows = await database.read(() =>
      all<{ id: string; rejected: 0 | 1 }>(
        'SELECT id, rejected_code IS NOT NULL AS rejected FROM sync_outbox WHERE scope = ? AND frozen IS NULL ORDER BY id LIMIT ?',
        number,
        found.room,
      ),
    );
    for (const { id, rejected } of rows) {
      found.name({ container, partitionKey, id, kind: rejected === 1 ? 'dead-letter' : 'pending' });
    }
  }
}

function checkOptions({ maxNamed, maxRequestUnits }: VerifyOptions): void {
  if (maxNamed !== undefined && (!Number.isSafeInteger(maxNamed) || maxNamed < 0)) {
    throw new PerigeeError('INVALID_OPTION', 'The option maxNamed is a whole number from 0.');
  }
  if (maxRequestUnits !== undefined && !(maxRequestUnits > 0)) {
    throw new PerigeeError('INVALID_OPTION', 'The option maxRequestUnits is a number above 0.');
  }
}
