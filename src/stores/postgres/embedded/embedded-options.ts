import { PerigeeError } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';

/** Options of {@link startEmbeddedPostgres}. */
export interface EmbeddedPostgresOptions {
  /** Where the data stays. It is made when it is missing. Without it the data is in a temporary folder that is removed when the server stops. */
  readonly folder?: string | undefined;
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number | undefined;
  /** Where passwords and waits come from; a process needs real time, so its timers have to be real ones. */
  readonly runtime?: Runtime | undefined;
  /**
   * Whether what was committed survives a loss of power; `true` with a folder, `false` without one. It survives the end of the server either way.
   */
  readonly durable?: boolean | undefined;
  /** Further settings of the server (`postgres -c`), but for those that keep it on this machine and in its folder. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Aborts the start; a server that runs is not stopped by it. */
  readonly signal?: AbortSignal | undefined;
}

const SETTING = /^[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?$/u;
/** What keeps the server on this machine, in its folder and behind its password. */
const OURS: ReadonlySet<string> = new Set([
  'config_file',
  'data_directory',
  'external_pid_file',
  'hba_file',
  'ident_file',
  'listen_addresses',
  'password_encryption',
  'perigee.owner',
  'port',
  'unix_socket_directories',
]);

function refuse(why: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', `Cannot start an embedded PostgreSQL: ${why}`);
}

/** @throws INVALID_OPTION */
export function checkEmbeddedOptions(options: EmbeddedPostgresOptions): void {
  const { folder, port, durable, settings } = options;
  if (folder !== undefined && (typeof folder !== 'string' || folder === '' || folder.includes('\0'))) {
    throw refuse('{ folder } has to be the path of a folder.');
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw refuse('{ port } has to be a whole number from 0 to 65535.');
  }
  if (durable !== undefined && typeof durable !== 'boolean') {
    throw refuse('{ durable } has to be true or false.');
  }
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (!SETTING.test(name)) {
      throw refuse(`${JSON.stringify(name)} in { settings } is not the name of a setting; they are of lower-case letters, digits and "_".`);
    }
    if (OURS.has(name)) {
      throw refuse(`the setting ${JSON.stringify(name)} cannot be changed, as it keeps the server on this machine and in its folder.`);
    }
    if (typeof value !== 'string' || value.includes('\0')) {
      throw refuse(`the value of the setting ${JSON.stringify(name)} has to be a string.`);
    }
  }
}
