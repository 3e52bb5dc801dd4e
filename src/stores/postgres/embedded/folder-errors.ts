import { isPerigeeError, PerigeeError } from '../../../core/errors.ts';

/** An error of the file system as one of Perigee; others, such as an abort, stay as they are. */
export function wrapFolderError(error: unknown, attempt: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (isPerigeeError(error) || typeof code !== 'string') {
    return error;
  }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PerigeeError('STORE_FULL', `Cannot ${attempt}: the disk is full.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PerigeeError('STORE_READ_ONLY', `Cannot ${attempt}: the system does not permit it (${code}).`, { cause: error });
    case 'ENOTDIR':
    case 'EEXIST':
      return new PerigeeError('STORE_READ_ONLY', `Cannot ${attempt}: a part of the path is a file.`, { cause: error });
    default:
      return new PerigeeError('STORE_IO', `Cannot ${attempt}: the system answers ${code}.`, { cause: error });
  }
}
