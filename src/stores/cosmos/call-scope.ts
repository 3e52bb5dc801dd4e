import { AsyncLocalStorage } from 'node:async_hooks';
import { PerigeeError, isPerigeeError } from '../../core/errors.ts';
import type { TokenRequest } from '../../store/token-provider.ts';
import { badResponse, parseJson, refusedBy, type CallKind, type FailedCall, type WireAnswer } from './cosmos-errors.ts';

/** What a call tells the transport beneath the SDK. */
export interface CallScopeOptions {
  readonly kind: CallKind;
  /** What is attempted, on what, for messages: `read the document "a" of the container "todos"`. */
  readonly attempt: string;
  readonly signal?: AbortSignal | undefined;
  /** What a token is needed for. */
  readonly access: Omit<TokenRequest, 'refresh'>;
  /** The call continues an earlier page. */
  readonly continued?: boolean | undefined;
  /** The container's resource, so that the SDK's own reads of it are answered here: `path` as in the URL, `body` as JSON. */
  readonly container?: { readonly path: string; readonly body: string } | undefined;
  /** Request headers that the SDK has no option for; `undefined` leaves one out that it would send. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Carries a failure through the SDK, which writes properties of its own on what passes it. */
export class WireFailure extends Error {
  override readonly name = 'WireFailure';
  /** `undefined` when the caller gave up. */
  readonly failure: PerigeeError | undefined;

  constructor(failure: PerigeeError | undefined) {
    super(failure?.message ?? 'The caller gave up.');
    this.failure = failure;
  }
}

const storage = new AsyncLocalStorage<CallScope>();

/**
 * One call of a store, seen from both sides of the SDK: the store says what the call is for, the transport records what came over the wire.
 *
 * The SDK loses codes, sub-statuses, charges and abort signals on the way (its `batch` all of them), and sends requests of its own beside the
 * one asked for. Asynchronous context ties every request to its call whatever path it takes through the SDK.
 */
export class CallScope implements FailedCall {
  readonly kind: CallKind;
  readonly attempt: string;
  readonly signal: AbortSignal | undefined;
  readonly access: Omit<TokenRequest, 'refresh'>;
  readonly continued: boolean;
  readonly container: CallScopeOptions['container'];
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Charges of all requests of the call. */
  requestUnits = 0;
  documentsScanned = 0;
  /** How many answers of the service the call has had. */
  answers = 0;
  /** What the service says of indexes, where it was asked: of the newest answer that says it. */
  indexMetrics: string | undefined;
  /** The newest session token of an answer. */
  session: string | undefined;
  /** The newest answer that the SDK was given. */
  answer: WireAnswer | undefined;
  /** How long the call has waited for the service's throttle. */
  throttledMs = 0;
  throttles = 0;
  /** When the first attempt to connect failed, by the monotonic clock; only with endpoint discovery. */
  unreachableSinceMs: number | undefined;
  #failure: PerigeeError | undefined;
  #planNeeded: ((needed: boolean) => void) | undefined;
  /** Settles when the query beside a query plan request is answered: whether the plan is needed. */
  readonly planNeeded: Promise<boolean>;
  /** Whether the query had to be planned and merged by the SDK. */
  planned = false;

  constructor(options: CallScopeOptions) {
    this.kind = options.kind;
    this.attempt = options.attempt;
    this.signal = options.signal;
    this.access = options.access;
    this.continued = options.continued ?? false;
    this.container = options.container;
    this.headers = options.headers ?? {};
    this.planNeeded = new Promise((resolve) => {
      this.#planNeeded = resolve;
    });
  }

  /** The scope of the request that is being sent. */
  static current(): CallScope | undefined {
    return storage.getStore();
  }

  /** Runs SDK calls within the scope. @throws PerigeeError, or the signal's reason */
  async run<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await storage.run(this, work);
    } catch (error) {
      throw this.explain(error);
    } finally {
      this.settlePlan(false);
    }
  }

  /** Remembers an answer that the SDK is given. */
  record(answer: WireAnswer): void {
    this.answer = answer;
    this.#failure = undefined;
    this.measure(answer);
  }

  /** Takes charge, session and metrics from an answer. */
  measure(answer: WireAnswer): void {
    this.answers += 1;
    const charge = Number(answer.headers['x-ms-request-charge'] ?? 0);
    this.requestUnits += Number.isFinite(charge) ? charge : 0;
    this.session = answer.headers['x-ms-session-token'] ?? this.session;
    this.indexMetrics = answer.headers['x-ms-cosmos-index-utilization'] ?? this.indexMetrics;
    const metrics = answer.headers['x-ms-documentdb-query-metrics'];
    const scanned = metrics === undefined ? null : /(?:^|;)retrievedDocumentCount=(\d+)/u.exec(metrics);
    this.documentsScanned += scanned === null ? 0 : Number(scanned[1]);
  }

  /** Remembers a failure, for the SDK may lose it, and gives what to throw. */
  fail(failure: PerigeeError): WireFailure {
    this.#failure = failure;
    return new WireFailure(failure);
  }

  /** Remembers a failure that the SDK is given as an answer, since it may recover from it. */
  suspect(failure: PerigeeError): void {
    this.#failure = failure;
  }

  settlePlan(needed: boolean): void {
    this.planned ||= needed;
    this.#planNeeded?.(needed);
    this.#planNeeded = undefined;
  }

  /** The error that a call raises for what the SDK threw. */
  explain(error: unknown): unknown {
    if (this.signal?.aborted === true) {
      return this.signal.reason;
    }
    if (isPerigeeError(error)) {
      return error;
    }
    const failure = error instanceof WireFailure ? error.failure : this.#failure;
    if (failure !== undefined) {
      return failure;
    }
    if (error instanceof WireFailure) {
      return new PerigeeError('UNAVAILABLE', `Cannot ${this.attempt}: another call that it waited for was given up. Try again.`);
    }
    return this.#explainForeign(error);
  }

  /** What the SDK threw by itself. */
  #explainForeign(error: unknown): PerigeeError {
    const { code, substatus, message } = error as { code?: unknown; substatus?: unknown; message?: unknown };
    const text = typeof message === 'string' ? message : undefined;
    if (typeof code === 'number') {
      return refusedBy(this, { status: code, subStatus: typeof substatus === 'number' ? substatus : 0, message: text });
    }
    const { answer } = this;
    if (answer !== undefined && answer.status !== 204 && answer.status !== 304 && typeof parseJson(answer.body) !== 'object') {
      return badResponse(this, `status ${answer.status} with a body that is not JSON`, answer.status);
    }
    if (error instanceof TypeError || this.kind !== 'query') {
      // It was content with what it sent, and stumbled over what came.
      return answer === undefined
        ? new PerigeeError('INTERNAL', `Cannot ${this.attempt}: the SDK failed. \`cause\` says how.`, { cause: error })
        : badResponse(this, 'JSON of another kind', answer.status, error);
    }
    return new PerigeeError('QUERY_FAILED', `Cannot ${this.attempt}: ${text ?? 'the SDK failed.'}`, { cause: error });
  }
}
