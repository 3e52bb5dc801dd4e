import { ERROR_FACTS, type ErrorCategory, type ErrorCode } from './error-facts.ts';

const BRAND: unique symbol = Symbol.for('perigee.error') as never;

/** What may be given to a {@link PerigeeError} beside its code and message. */
export interface PerigeeErrorOptions {
  /** Facts for programs. Never document content, a parameter, a token or a connection string. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** How long to wait before a retry, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
  /** Overrides the HTTP status of the code, where a remote service answered with another. */
  readonly status?: number | undefined;
  /** Overrides the sub-status of the code. */
  readonly subStatus?: number | undefined;
}

/**
 * The one error class of Perigee.
 *
 * `code` is stable within a major version and is what a program branches on; `message` is for people and says what was attempted, on what,
 * why it failed and what to do. Recognise one with {@link isPerigeeError}, which also holds for a second copy of the package.
 *
 * @example
 * ```ts
 * import { PerigeeError, isPerigeeError } from 'perigee';
 *
 * const error = new PerigeeError('THROTTLED', 'Write refused: the container is over its throughput.', { retryAfterMs: 20 });
 * console.log(error.category, error.retryable, error.retryAfterMs); // -> throttle true 20
 * console.log(isPerigeeError(error, 'THROTTLED')); // -> true
 * ```
 */
export class PerigeeError extends Error {
  override readonly name = 'PerigeeError';
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  /** HTTP status: the code's own, or the one a remote service answered with. */
  readonly status: number;
  /** Cosmos DB sub-status; 0 where there is none. */
  readonly subStatus: number;

  constructor(code: ErrorCode, message: string, options: PerigeeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const info = ERROR_FACTS[code];
    this.code = code;
    this.category = info.category;
    this.retryable = info.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
    this.status = options.status ?? info.status;
    this.subStatus = options.subStatus ?? info.subStatus ?? 0;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether `error` is a {@link PerigeeError}, and, when `code` is given, one with that code.
 *
 * Works by brand, so an error from another copy of the package or another realm is recognised too.
 */
export function isPerigeeError(error: unknown, code?: ErrorCode): error is PerigeeError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) {
    return false;
  }
  return code === undefined || (error as unknown as PerigeeError).code === code;
}

/** Throws the signal's reason when it is aborted; the caller's own abort is never wrapped. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw signal.reason;
  }
}
