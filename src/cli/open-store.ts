import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend } from '../store/backend.ts';
import type { PostgresBackendOptions } from '../stores/postgres/postgres-options.ts';
import { openMemoryBackend } from '../stores/memory/memory-backend.ts';
import { consoleLogger } from './console-logger.ts';
import { parseStoreAddress } from './store-address.ts';

/** How a store is opened. */
export interface OpenStoreOptions {
  /** The store must be there already: a mistyped path is then an error instead of a new, empty store. */
  readonly mustExist?: boolean | undefined;
  /** The caller only reads: a file or folder is then opened beside a program that writes to it, and one that cannot be written to can be read. */
  readonly readOnly?: boolean | undefined;
  /** Key of an account; that of the environment (`PERIGEE_KEY`) unless said otherwise, and that of the emulator on this machine. */
  readonly key?: string | undefined;
  /** Clock and chance of a local store; those of the host unless said otherwise. */
  readonly runtime?: Runtime | undefined;
  /** Options of a PostgreSQL. */
  readonly postgres?: Partial<PostgresBackendOptions> | undefined;
}

/** A store that is open. */
export interface OpenedStore {
  readonly backend: Backend;
  /** What people are told of it; it holds no secret. */
  readonly label: string;
  /** Closes the backend, and stops what was started for it. */
  readonly close: () => Promise<void>;
}

function opened(backend: Backend, label: string): OpenedStore {
  return { backend, label, close: () => backend.close() };
}

/** Makes a folder and those above it. Node's own recursive way never ends where a folder cannot hold others, such as `/proc`. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) {
    return;
  }
  if (dirname(folder) !== folder) {
    makeFolder(dirname(folder));
  }
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been first.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw error;
    }
  }
}

function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOTDIR' || code === 'EEXIST'
    ? 'a part of the path is a file'
    : `the system does not permit it (${code ?? 'unknown reason'})`;
}

function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new PerigeeError('STORE_READ_ONLY', `Cannot make the folder ${JSON.stringify(folder)} for the store: ${reasonOf(cause)}.`, {
      cause,
    });
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A part of the path is a file, or may not be looked into.
    return false;
  }
}

/** The key of an account: the one given, that of the environment, or that of the emulator on this machine. @throws INVALID_OPTION */
export async function keyOf(endpoint: string, given: string | undefined): Promise<string> {
  const key = given ?? process.env['PERIGEE_KEY'];
  if (key !== undefined) {
    return key;
  }
  const { hostname } = new URL(endpoint);
  if (['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    return (await import('../server/server-options.ts')).WELL_KNOWN_KEY;
  }
  throw new PerigeeError('INVALID_OPTION', `Cannot open the account at ${JSON.stringify(endpoint)} without a key: set PERIGEE_KEY.`);
}

/**
 * Opens the backend that a store argument names ({@link parseStoreAddress}); the folder of a local one is made when it is missing. *
 * @throws INVALID_OPTION, NOT_FOUND (with `mustExist`), STORE_READ_ONLY, and what opening the backend throws
 */
export async function openStore(argument: string, options: OpenStoreOptions = {}): Promise<OpenedStore> {
  const address = parseStoreAddress(argument);
  const { runtime } = options;
  switch (address.kind) {
    case 'memory': {
      return opened(openMemoryBackend({ runtime }), 'memory (gone when the program ends)');
    }
    case 'cosmos': {
      const { openCosmosBackend } = await import('../stores/cosmos/cosmos-backend.ts');
      const { endpoint } = address;
      const key = await keyOf(endpoint, options.key);
      return opened(await openCosmosBackend({ endpoint, key, logger: consoleLogger }), endpoint);
    }
    case 'sqlite': {
      const path = resolve(address.path);
      if (options.mustExist === true && !isThere(path)) {
        throw new PerigeeError('NOT_FOUND', `Cannot open the store ${JSON.stringify(path)}: there is no such file.`);
      }
      if (options.readOnly !== true) {
        prepareFolder(dirname(path));
      }
      const { openSqliteBackend } = await import('../stores/sqlite/sqlite-backend.ts');
      return opened(await openSqliteBackend({ path, readOnly: options.readOnly, runtime, logger: consoleLogger }), path);
    }
    case 'file': {
      const folder = resolve(address.folder);
      if (options.mustExist === true && !isThere(folder)) {
        throw new PerigeeError('NOT_FOUND', `Cannot open the store ${JSON.stringify(folder)}: there is no such folder.`);
      }
      if (options.readOnly !== true) {
        prepareFolder(folder);
      }
      const { openFileBackend } = await import('../stores/file/file-backend.ts');
      return opened(await openFileBackend({ folder, readOnly: options.readOnly, runtime, logger: consoleLogger }), folder);
    }
    case 'postgres': {
      const { openPostgresBackend } = await import('../stores/postgres/postgres-backend.ts');
      const { connectionString, schema, readableViews, place } = address;
      // The backend checks it.
      const autoIndex = address.autoIndex as PostgresBackendOptions['autoIndex'];
      const { signals, replicas = [] } = options.postgres ?? {};
      if (
        [connectionString, signals, ...replicas].some(
          (text) => typeof text === 'string' && URL.canParse(text) && new URL(text).password !== '',
        )
      ) {
        // Others on this machine see the words that a program was started with, but for one that gives itself a title.
        process.title = 'perigee';
      }
      return opened(
        await openPostgresBackend({
          ...options.postgres,
          connectionString,
          schema,
          readableViews,
          autoIndex,
          runtime,
          logger: consoleLogger,
        }),
        place,
      );
    }
    case 'embedded-postgres': {
      const folder = resolve(address.folder);
      if (options.mustExist === true && !isThere(folder)) {
        throw new PerigeeError('NOT_FOUND', `Cannot open the store ${JSON.stringify(folder)}: there is no such folder.`);
      }
      const { openEmbedded } = await import('./open-embedded.ts');
      return openEmbedded(folder, { runtime, mayJoin: options.mustExist === true });
    }
    default:
      return address satisfies never;
  }
}
