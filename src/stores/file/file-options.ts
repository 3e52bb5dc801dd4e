import { PerigeeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';

/** Settings of `openFileBackend`. */
export interface FileBackendOptions {
  /** The folder; it is made when it is missing, the one it is in is not. */
  readonly folder: string;
  /** Reads only: takes no lock, changes no file, and refuses writes. Another process may write meanwhile; what it writes later is not seen. */
  readonly readOnly?: boolean | undefined;
  /** `normal` (the default): an acknowledged write survives SIGKILL, and a loss of power after `flush()`. `full`: each survives a loss of power. */
  readonly synchronous?: 'normal' | 'full' | undefined;
  /** Largest file of a container, in bytes; 128 MiB unless said otherwise. All of it is kept in memory. */
  readonly maxFileBytes?: number | undefined;
  /** How long a container is left alone before its file is brought to one line a document, in milliseconds; 1,000 unless said otherwise. */
  readonly foldAfterMs?: number | undefined;
  readonly runtime?: Runtime | undefined;
  /** Functions that queries call as `udf.name(…)`. */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
  /** Takes note of files that could not be tidied, and of lines that a killed writer left, at level `warn`; silent unless said otherwise. */
  readonly logger?: Logger | undefined;
}

/** Largest file unless told otherwise. */
export const DEFAULT_MAX_FILE_BYTES: number = 128 * 1024 * 1024;

/** Checks the options. @throws INVALID_OPTION */
export function checkFileOptions(options: FileBackendOptions): void {
  const { folder, maxFileBytes = 1, foldAfterMs = 1, synchronous = 'normal' } = options;
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) {
    throw new PerigeeError('INVALID_OPTION', 'The option folder is the path of a folder.');
  }
  if (!(Number.isSafeInteger(maxFileBytes) && maxFileBytes >= 1) || !(foldAfterMs >= 0)) {
    throw new PerigeeError('INVALID_OPTION', 'maxFileBytes is a whole number from 1, foldAfterMs a number from 0.');
  }
  if (!['normal', 'full'].includes(synchronous)) {
    throw new PerigeeError('INVALID_OPTION', 'The option synchronous is "normal" or "full".');
  }
}
