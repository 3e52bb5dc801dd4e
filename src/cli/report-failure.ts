import { ERROR_CODES } from '../core/error-codes.ts';
import { isPerigeeError } from '../core/errors.ts';

/** Prints a failure for a person, with the next step, and returns the exit code. Programs find the code in brackets. `shown` stands between the two. */
export function reportFailure(error: unknown, shown: readonly string[] = []): number {
  if (isPerigeeError(error)) {
    const info = ERROR_CODES[error.code];
    console.error([`perigee: ${error.message} [${error.code}]`, ...shown, info.action].join('\n'));
    return info.exitCode;
  }
  console.error('perigee: a defect:', error);
  return 70;
}
