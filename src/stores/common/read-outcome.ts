import { PerigeeError } from '../../core/errors.ts';
import type { BulkResult, OperationOutcome } from '../../store/operations.ts';

/** Whether a document with an etag is one that the caller has. */
export function isUnchanged(etag: string, ifNoneMatch: string | undefined): boolean {
  return ifNoneMatch !== undefined && (ifNoneMatch === etag || ifNoneMatch === '*');
}

/** What is said of a document that {@link isUnchanged}. */
export function notModified(id: string, etag: string): PerigeeError {
  return new PerigeeError('NOT_MODIFIED', `The document ${JSON.stringify(id)} still has the etag given. Use the copy you have.`, {
    details: { etag },
  });
}

/** What an operation of a batch says that reads a missing document. */
export function missingToRead(id: string): PerigeeError {
  return new PerigeeError('NOT_FOUND', `Cannot read the document ${JSON.stringify(id)}: there is none in the partition key.`);
}

/** The request units of several operations. */
export function totalUnits(outcomes: readonly Pick<OperationOutcome, 'requestUnits'>[]): number {
  return outcomes.reduce((sum, outcome) => sum + outcome.requestUnits, 0);
}

/** The position in a session token of a store that keeps positions. @throws BAD_REQUEST for a token of another store */
export function sessionPosition(session: string): number {
  if (!/^\d{1,15}$/u.test(session)) {
    throw new PerigeeError('BAD_REQUEST', 'The session was not issued by this store. Pass the session of an earlier result, or none.');
  }
  return Number(session);
}

/** What is said where a store has not come as far as a session. */
export function sessionNotReached(containerId: string): PerigeeError {
  return new PerigeeError(
    'SESSION_NOT_AVAILABLE',
    `The container ${JSON.stringify(containerId)} has not reached the session asked for. Read without it, or from where it was written.`,
  );
}

/** The result of a bulk call. What it costs is summed up only when asked for, as with the outcomes themselves. */
export function bulkResult<T extends object>(outcomes: readonly OperationOutcome<T>[], session: string): BulkResult<T> {
  return {
    outcomes,
    get requestUnits() {
      return totalUnits(outcomes);
    },
    session,
  };
}
