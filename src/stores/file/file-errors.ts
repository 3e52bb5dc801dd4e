import type { ErrorCode } from '../../core/error-codes.ts';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';

const MEANINGS: Readonly<Record<string, readonly [code: ErrorCode, why: string]>> = {
  ENOSPC: ['STORE_FULL', 'the disk is full; free space and repeat'],
  EDQUOT: ['STORE_FULL', 'the disk space of this user is used up; free space and repeat'],
  EFBIG: ['STORE_FULL', 'the file is as large as the system allows'],
  EACCES: ['STORE_READ_ONLY', 'the system does not permit it; check owner and mode'],
  EPERM: ['STORE_READ_ONLY', 'the system does not permit it; check owner and mode'],
  EROFS: ['STORE_READ_ONLY', 'the file system is read-only'],
  ENOENT: ['STORE_READ_ONLY', 'there is no such folder; create it first'],
  ENOTDIR: ['STORE_READ_ONLY', 'a part of the path is a file'],
  EEXIST: ['STORE_READ_ONLY', 'a part of the path is a file'],
};

/**
 * Turns what the file system throws into a `PerigeeError`, once, at the edge of the backend; one that is a `PerigeeError` already stays as it is.
 *
 * `what` says what was attempted and on what, as in `open the folder "fixtures"`.
 */
export function wrapFileError(error: unknown, what: string): PerigeeError {
  if (isPerigeeError(error)) {
    return error;
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) {
    return new PerigeeError('INTERNAL', `Cannot ${what}: a defect.`, { cause: error });
  }
  const [meaning, why] = MEANINGS[code] ?? ['STORE_IO', `the system refused it (${code}); look at the disk`];
  return new PerigeeError(meaning, `Cannot ${what}: ${why}.`, { cause: error, details: { systemCode: code } });
}
