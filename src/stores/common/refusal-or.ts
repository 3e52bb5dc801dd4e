import { isPerigeeError, type PerigeeError } from '../../core/errors.ts';

/** What a decision gives, or the error by which it refuses. */
export function refusalOr<R>(decide: () => R): R | PerigeeError {
  try {
    return decide();
  } catch (error) {
    if (isPerigeeError(error)) {
      return error;
    }
    throw error;
  }
}
