import { isPerigeeError, PerigeeError, type PerigeeErrorOptions } from '../core/errors.ts';

/** The protocol's sub-status of a 404 whose reason is not the document but its container or database. */
export const OWNER_MISSING = 1003;

/** What a store says whose container was deleted, or gave way to a restored one. */
export function containerGone(id: string): PerigeeError {
  return new PerigeeError('NOT_FOUND', `The container ${JSON.stringify(id)} was deleted.`, { subStatus: OWNER_MISSING });
}

/** As {@link containerGone}, where the engine noticed it in the middle of something. */
export function containerGoneDuring(what: string, options: PerigeeErrorOptions): PerigeeError {
  return new PerigeeError('NOT_FOUND', `Cannot ${what}: its container was deleted.`, { ...options, subStatus: OWNER_MISSING });
}

/** Whether the store that raised an error is of no further use, because its container is gone or it was closed; nothing was written then. */
export function isStoreOfNoUse(error: unknown): boolean {
  return isPerigeeError(error, 'CLOSED') || (isPerigeeError(error, 'NOT_FOUND') && error.subStatus === OWNER_MISSING);
}
