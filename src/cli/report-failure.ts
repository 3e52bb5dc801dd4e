import { ERROR_CODES } from '../core/error-codes.ts';
import { isPerigeeError } from '../core/errors.ts';
import { safeText } from './safe-text.ts';

/** Prints a failure for a person, with the next step, and returns the exit code. Programs find the code in brackets. `shown` stands between the two. */
export function reportFailure(error: unknown, shown: readonly string[] = []): number {
  if (isPerigeeError(error)) {
    const info = ERROR_CODES[error.code];
    // A message may repeat names, and words of a server, that somebody else chose.
    console.error([`perigee: ${safeText(error.message)} [${error.code}]`, ...shown, info.action].join('\n'));
    return info.exitCode;
  }
  console.error('perigee: a defect:', error);
  return 70;
}
