import { isDeepStrictEqual } from 'node:util';
import type { CosmosDiagnostics } from '@azure/cosmos';
import type { LoadItem } from './load-item.ts';

/** An answer of the SDK about one document, as far as it is looked at. */
export interface ItemAnswer {
  readonly statusCode: number;
  readonly resource?: unknown;
  readonly etag?: string;
  readonly requestCharge: number;
  readonly headers: Record<string, unknown>;
  readonly diagnostics: CosmosDiagnostics;
}

/** The document of an answer without its system properties. */
export function withoutSystemProperties(resource: unknown): unknown {
  const { _rid, _self, _etag, _ts, _attachments, _lsn, ...rest } = resource as Record<string, unknown>;
  return rest;
}

/** Raises unless the SDK got the answer at its first try: it repeats much by itself, which hides failures. */
export function checkFirstTry({ clientSideRequestStatistics }: CosmosDiagnostics): void {
  const [failed] = clientSideRequestStatistics.retryDiagnostics.failedAttempts;
  if (failed !== undefined) {
    throw new Error(`The SDK had to repeat a request after the answer ${String(failed.statusCode)}/${String(failed.substatusCode)}.`);
  }
}

/** Raises unless an answer has the status and the headers that every answer on documents has. */
export function checkAnswer(answer: ItemAnswer, status: number): void {
  if (answer.statusCode !== status) {
    throw new Error(`The answer has the status ${answer.statusCode} and should have ${status}.`);
  }
  checkFirstTry(answer.diagnostics);
  if (!(answer.requestCharge >= 1) || !/^\d+:-1#\d+$/u.test(String(answer.headers['x-ms-session-token']))) {
    throw new Error(`The answer charges ${answer.requestCharge} and gives the session ${String(answer.headers['x-ms-session-token'])}.`);
  }
}

/** Raises unless an answer is a document as it should be; gives its etag. */
export function checkItem(answer: ItemAnswer, status: number, expected: LoadItem): string {
  checkAnswer(answer, status);
  return checkResource(answer.resource, expected);
}

/** Raises unless a document is as it should be; gives its etag. */
export function checkResource(resource: unknown, expected: LoadItem): string {
  if (!isDeepStrictEqual(withoutSystemProperties(resource), expected)) {
    throw new Error(`The document is ${JSON.stringify(resource)} and should be ${JSON.stringify(expected)}.`);
  }
  return (resource as { readonly _etag: string })._etag;
}

/** Raises unless two values are equal; `what` says of what they are. */
export function checkEqual(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) {
    throw new Error(`${what}: found ${JSON.stringify(found)?.slice(0, 2000)}, expected ${JSON.stringify(expected)?.slice(0, 2000)}.`);
  }
}

/** Waits for a refusal with one of the statuses, and gives the status. */
export async function refusalOf(promise: Promise<unknown>, ...statuses: readonly number[]): Promise<number> {
  const error = (await promise.then(
    (answer) => {
      throw new Error(
        `The request was to be refused with ${statuses.join(' or ')}, and was answered: ${JSON.stringify(answer)?.slice(0, 500)}.`,
      );
    },
    (reason: unknown) => reason,
  )) as { readonly code?: unknown };
  if (!statuses.includes(error.code as number)) {
    throw error;
  }
  return error.code as number;
}
