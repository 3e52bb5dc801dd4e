import { PerigeeError, type PerigeeErrorOptions } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { SANDBOX_FILE } from './sandbox/sandbox-source.ts';
import type { ScriptFailure } from './script-protocol.ts';

/** The service's sub-status for a script that does not compile. */
const COMPILE_SUB_STATUS = 0xffff;

/** The frames of a script's own code, in the form of the service. */
function framesOf(stack: string): string {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !line.includes(SANDBOX_FILE) && !line.endsWith('(native)'))
    .map((line) => `\n   ${line.replace('at <anonymous> (', 'at Anonymous function (').replace('at <eval> (', 'at Global code (')}`)
    .join('');
}

/**
 * What becomes of a request whose script failed.
 *
 * The message has the script's own words and frames, in the service's form: whoever runs the script is whom it speaks to. A number that the
 * script gave its error is the sub-status.
 */
export function scriptError(failure: ScriptFailure, executionCode: ErrorCode = 'SCRIPT_FAILED'): PerigeeError {
  const { reason, message, stack, number } = failure;
  const told = (verb: string): string =>
    `Encountered exception while ${verb} Javascript. Exception = ${message}\r\nStack trace: ${message}${framesOf(stack)}`;
  switch (reason) {
    case 'compile':
      return new PerigeeError('SCRIPT_INVALID', told('compiling'), { subStatus: COMPILE_SUB_STATUS });
    case 'threw': {
      const isStatus = number !== undefined && Number.isInteger(number) && number > 0 && number <= 0x7fffffff;
      const options: PerigeeErrorOptions = isStatus ? { subStatus: number } : {};
      return new PerigeeError(executionCode, told('executing'), options);
    }
    case 'memory':
      return new PerigeeError(executionCode, told('executing'));
    case 'time':
      return new PerigeeError('SCRIPT_TIMEOUT', 'The requested operation exceeded maximum alloted time.');
    case 'broken':
      return new PerigeeError(
        executionCode,
        'Encountered exception while executing Javascript. The script was stopped: it broke its sandbox.',
        {
          cause: new Error(message),
        },
      );
    default:
      return reason satisfies never;
  }
}
