import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { checkDocumentId } from '../../store/ids.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import { readBase } from '../state/base-versions.ts';
import { readRejected, retryUnit } from '../dead-letters/dead-letter-rows.ts';
import { unitOf, unitsOf } from './groups.ts';
import { highestGeneration, listSendable, recordPending, retryRejectedRows } from './outbox.ts';
import { Push } from './push.ts';
import { RemoteSession } from '../remote/remote-session.ts';
import { keyIn, type Scope } from '../state/scope.ts';
import type { SyncContext } from '../sync-context.ts';
import { ReportBuilder } from '../sync-report.ts';

/** Pending documents sent at once. */
const CHUNK = 1000;

/** Sends what the device holds on top of whatever the remote holds. */
export class ForcedPush {
  readonly #context: SyncContext;
  readonly #remote: (container: string) => Promise<DocumentStore<JsonObject>>;
  readonly #signal: AbortSignal;
  readonly #report: ReportBuilder;

  constructor(context: SyncContext, remote: (container: string) => Promise<DocumentStore<JsonObject>>, signal: AbortSignal) {
    this.#context = context;
    this.#remote = remote;
    this.#signal = signal;
    this.#report = new ReportBuilder(context.runtime.nowMs());
  }

  /** Sends one document. Gives whether there was anything to send. @throws what refused it */
  async one(scope: Scope, id: string): Promise<boolean> {
    checkDocumentId(id);
    const { database } = this.#context;
    if (!(await database.write(() => this.#makePending(scope, id)))) {
      return false;
    }
    await (await this.#push(scope)).onTop(await database.read(() => unitsOf(scope.number, id)));
    const left = await database.read(() => readRejected(scope.number, id));
    if (left !== undefined) {
      throw new PerigeeError(
        left.rejected_code as PerigeeError['code'],
        `The remote refused the forced push of the document ${JSON.stringify(id)}. The reason is in the list of pending documents.`,
      );
    }
    return true;
  }

  /** Sends everything pending. Gives how many documents the remote acknowledged. */
  async all(scopes: readonly Scope[]): Promise<number> {
    const { database } = this.#context;
    for (const scope of scopes) {
      await database.write(() => retryRejectedRows(scope.number, undefined));
      const upTo = await database.read(() => highestGeneration(scope.number));
      for (let after = 0; after < upTo;) {
        const keys = await database.read(() => listSendable(scope.number, after, upTo, CHUNK));
        after = keys.at(-1)?.generation ?? upTo;
        if (keys.length > 0) {
          await (await this.#push(scope)).onTop([...new Set(keys.map(unitOf))]);
        }
      }
    }
    return this.#report.pushed;
  }

  async #push(scope: Scope): Promise<Push> {
    const run = { remote: this.#remote, report: this.#report, signal: this.#signal };
    return new Push(this.#context, await RemoteSession.open(this.#context, scope, run), this.#report, { forced: true });
  }

  /** Makes the document pending if the device holds it and it is not. */
  *#makePending(scope: Scope, id: string): Program<boolean> {
    const units = yield* unitsOf(scope.number, id);
    if (units.length > 0) {
      for (const unit of units) {
        yield* retryUnit(scope.number, unit);
      }
      return true;
    }
    const stored = yield* scope.store.readProgram(keyIn(scope, id));
    if (stored === undefined) {
      return false;
    }
    const { clock, runtime } = this.#context;
    const isKnown = scope.needsBase && (yield* readBase(scope.number, id))?.deleted === 0;
    const base = isKnown ? scope.form.sharedText(stored.text) : null;
    yield* recordPending(scope.number, id, 'put', stored.position, clock.next(), runtime.nowMs(), base);
    return true;
  }
}
