import { isPerigeeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { safeText } from './safe-text.ts';

function describe(error: unknown): string {
  if (isPerigeeError(error)) {
    return `: ${safeText(error.message)} [${error.code}]`;
  }
  // Only a defect comes without a code; where it happened is then worth more than a short line.
  return error instanceof Error ? `: a defect: ${error.stack ?? error.message}` : '';
}

/** Prints warnings and errors to standard error: what the operator must know and clients are not told. */
export const consoleLogger: Logger = {
  log(level, message, fields = {}) {
    if (level === 'warn' || level === 'error') {
      const activity = typeof fields['activityId'] === 'string' ? ` (activity ${safeText(fields['activityId'])})` : '';
      console.error(`perigee: ${message}${activity}${describe(fields['error'])}`);
    }
  },
};
