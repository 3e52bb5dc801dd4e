import { resolve } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { openStore, type OpenedStore } from '../open-store.ts';
import { parseStoreAddress, type StoreAddress } from '../store-address.ts';

/** The remote of a device: opened when it is first needed, and again after that failed. */
export interface Remote {
  /** The store of a container. @throws what opening it throws */
  container(id: string): Promise<DocumentStore<JsonObject>>;
  close(): Promise<void>;
}

/** Where a remote is, and with which key. */
interface RemotePlace {
  readonly argument: string;
  readonly address: StoreAddress;
  readonly key: string | undefined;
}

const CONNECTION_STRING = /^\s*AccountEndpoint=/iu;

/** Reads a connection string as the service and `perigee serve` print it. It holds a key, so it is never repeated. */
function parseConnectionString(text: string): { readonly endpoint: string; readonly key: string | undefined } {
  const parts = new Map(
    text.split(';').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()] as const;
    }),
  );
  return { endpoint: (parts.get('accountendpoint') ?? '').replace(/\/$/u, ''), key: parts.get('accountkey') };
}

function placeOf(given: string, file: string): RemotePlace {
  const connection = CONNECTION_STRING.test(given) ? parseConnectionString(given) : undefined;
  const argument = connection?.endpoint ?? given;
  const address = parseStoreAddress(argument);
  if (address.kind === 'memory') {
    throw new PerigeeError('INVALID_OPTION', 'Cannot synchronise with memory: it holds nothing outside of one program.');
  }
  if (address.kind === 'sqlite' && resolve(address.path) === resolve(file)) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot synchronise a file with itself: name another remote.');
  }
  return { argument, address, key: connection?.key ?? process.env['PERIGEE_REMOTE_KEY'] };
}

function chooseDatabase(given: string | undefined, names: readonly string[]): string {
  const [only] = names;
  if (given !== undefined) {
    return given;
  }
  if (only === undefined || names.length > 1) {
    const list = names.slice(0, 10).map((name) => JSON.stringify(name));
    throw new PerigeeError(
      'INVALID_OPTION',
      only === undefined
        ? 'Cannot synchronise: the remote holds no database. Create it with its containers first.'
        : `Cannot synchronise: name the database of the remote with --database. There is: ${list.join(', ')}${names.length > 10 ? ' and more' : ''}.`,
    );
  }
  return only;
}

/** The remote that a command line names; nothing is opened yet. @throws INVALID_OPTION */
export function openRemote(given: string | undefined, file: string, database: string | undefined): Remote {
  if (given === undefined) {
    return {
      container: () =>
        Promise.reject(new PerigeeError('INVALID_OPTION', 'Cannot reach the remote: name it with --remote, or in PERIGEE_REMOTE.')),
      close: () => Promise.resolve(),
    };
  }
  const place = placeOf(given, file);
  let opening: Promise<{ readonly store: OpenedStore; readonly database: string }> | undefined;
  const open = async (): Promise<{ readonly store: OpenedStore; readonly database: string }> => {
    const store = await openStore(place.argument, { mustExist: true, key: place.key });
    try {
      const names = database === undefined ? (await store.backend.listDatabases()).map(({ id }) => id) : [];
      return { store, database: chooseDatabase(database, names) };
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  return {
    container: async (id) => {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      const opened = await opening;
      return opened.store.backend.container(opened.database, id);
    },
    close: async () => {
      const opened = await opening?.catch(() => undefined);
      await opened?.store.close();
    },
  };
}
