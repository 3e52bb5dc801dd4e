import { PerigeeError } from '../core/errors.ts';
import { hashV2 } from '../store/effective-partition-key.ts';
import type { SqliteBackend } from '../stores/sqlite/sqlite-backend.ts';
import { WriterQueue } from '../stores/sqlite/writer-queue.ts';
import { SyncEngine } from './engine.ts';
import { SYNC_MIGRATIONS } from './state/schema.ts';
import { countStatus } from './status.ts';
import type { SyncOptions } from './sync-options.ts';

/** Where the files of users are: `sqliteFolder` of `perigee/sqlite`, or whatever opens and removes a backend by name. */
export interface UserStorage {
  open(name: string): Promise<SqliteBackend>;
  /** Removes what `open` made; it is closed. */
  remove(name: string): Promise<void>;
}

/** What {@link UserSessions} takes. */
export interface UserSessionsOptions {
  readonly storage: UserStorage;
  /** Scope, remote and the rest of a user's engine; asked for at each sign-in. */
  readonly engine: (user: string) => Omit<SyncOptions, 'backend' | 'user'> | Promise<Omit<SyncOptions, 'backend' | 'user'>>;
  /** Called when a user is signed out, after the engine has closed: the place to drop tokens. */
  readonly onSignedOut?: ((user: string) => void | Promise<void>) | undefined;
}

/** What happens to work that the remote has not acknowledged, dead letters included. */
export type UnsentWork = 'keep' | 'refuse' | 'discard';

/** How a user leaves. */
export interface LogoutOptions {
  /** `refuse` (the default): the user stays signed in while there is any. `keep`: it waits in the user's file. `discard`: it goes, with the file. */
  readonly unsent?: UnsentWork | undefined;
  /** Removes the user's file from the device, once `unsent` permits it. */
  readonly removeData?: boolean | undefined;
}

/** The user who is signed in. */
export interface UserSession {
  readonly user: string;
  readonly engine: SyncEngine;
}

interface OpenSession extends UserSession {
  readonly backend: SqliteBackend;
}

/** Name of a user's file: no user's name appears in the file system, nor can one leave the folder. */
function fileOf(user: string): string {
  return `user-${hashV2([user])}`;
}

/**
 * The users of a device, one signed in at a time, each with a file of their own.
 *
 * Work that one user has not sent is never sent as another's: it waits in that user's file until the user comes back. Stores of a user who has left are
 * closed, so nobody reads on. Calls run one after the other.
 *
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { openMemoryBackend } from 'perigee/memory';
 * import { sqliteFolder } from 'perigee/sqlite';
 * import { UserSessions } from 'perigee/sync';
 *
 * const cloud = openMemoryBackend();
 * await cloud.createDatabase('app');
 * await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
 * const folder = await mkdtemp(join(tmpdir(), 'users-'));
 *
 * const users = new UserSessions({
 *   storage: sqliteFolder(folder),
 *   engine: (user) => ({
 *     scope: [{ container: 'notes', partitionKey: user }],
 *     remote: (container) => cloud.container('app', container),
 *   }),
 * });
 * const ada = await users.signIn('ada');
 * await ada.store('notes').create({ id: '1', owner: 'ada', text: 'not sent yet' });
 *
 * const bob = await users.switchUser('bob');
 * console.log((await bob.sync()).pushed); // -> 0
 * const again = await users.switchUser('ada');
 * console.log((await again.sync()).pushed); // -> 1
 *
 * await users.logout({ removeData: true });
 * await cloud.close();
 * await rm(folder, { recursive: true });
 * ```
 */
export class UserSessions {
  readonly #options: UserSessionsOptions;
  readonly #queue = new WriterQueue();
  #session: OpenSession | undefined;

  constructor(options: UserSessionsOptions) {
    this.#options = options;
  }

  /** Who is signed in; `undefined` for nobody. */
  get current(): UserSession | undefined {
    return this.#session === undefined ? undefined : { user: this.#session.user, engine: this.#session.engine };
  }

  /**
   * Signs a user in, and opens the user's engine; gives the one that is open where the user is signed in already.
   *
   * @throws SYNC_SCOPE while another user is signed in; what opening the file or the engine throws, with nobody signed in
   */
  signIn(user: string): Promise<SyncEngine> {
    return this.#queue.run(undefined, async () => {
      if (this.#session !== undefined && this.#session.user !== user) {
        throw new PerigeeError('SYNC_SCOPE', 'Cannot sign in: another user is signed in on this device. Log out first, or switch users.');
      }
      return this.#session?.engine ?? this.#open(user);
    });
  }

  /**
   * Signs another user in; whatever the one before has not sent waits in that user's file. Where the other's engine cannot be opened, nobody is signed in.
   *
   * @throws what opening the file or the engine throws
   */
  switchUser(user: string): Promise<SyncEngine> {
    return this.#queue.run(undefined, async () => {
      if (this.#session?.user === user) {
        return this.#session.engine;
      }
      if (this.#session !== undefined) {
        await this.#leave(this.#session, 'keep');
      }
      return this.#open(user);
    });
  }

  /**
   * Signs the user out. Does nothing where nobody is signed in.
   *
   * @throws SYNC_UNSENT with `refuse` while there is unsent work: the user stays signed in, with the engine opened anew if it was closed to find out
   */
  logout(options: LogoutOptions = {}): Promise<void> {
    const { unsent, removeData } = checkLogout(options);
    return this.#queue.run(undefined, async () => {
      const session = this.#session;
      if (session === undefined) {
        return;
      }
      await this.#leave(session, unsent);
      if (removeData) {
        await this.#options.storage.remove(fileOf(session.user));
      }
    });
  }

  /**
   * Removes a user's file from the device. The user is not signed in.
   *
   * @throws SYNC_UNSENT where there is unsent work, unless `unsent` is `discard`; SYNC_SCOPE for the user who is signed in
   */
  removeData(user: string, options: { readonly unsent?: 'refuse' | 'discard' | undefined } = {}): Promise<void> {
    return this.#queue.run(undefined, async () => {
      if (this.#session?.user === user) {
        throw new PerigeeError(
          'SYNC_SCOPE',
          'Cannot remove the data of a user who is signed in. Log out with the option removeData instead.',
        );
      }
      const { storage } = this.#options;
      if (options.unsent !== 'discard') {
        await this.#checkFile(user);
      }
      await storage.remove(fileOf(user));
    });
  }

  async #open(user: string): Promise<SyncEngine> {
    const options = await this.#options.engine(user);
    const backend = await this.#options.storage.open(fileOf(user));
    try {
      const engine = await SyncEngine.open({ ...options, backend, user });
      this.#session = { user, engine, backend };
      return engine;
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  /** Closes a session. The engine is closed first, so that nothing can be written between the look and the end. */
  async #leave({ user, engine, backend }: OpenSession, unsent: UnsentWork): Promise<void> {
    if (unsent === 'refuse' && (await engine.status()).pending > 0) {
      throw unsentWork();
    }
    await engine.close();
    this.#session = undefined;
    let pending: number;
    try {
      ({ pending } = await backend.database.read(() => countStatus()));
    } finally {
      await backend.close();
    }
    if (unsent === 'refuse' && pending > 0) {
      await this.#open(user);
      throw unsentWork();
    }
    await this.#options.onSignedOut?.(user);
  }

  async #checkFile(user: string): Promise<void> {
    const backend = await this.#options.storage.open(fileOf(user));
    try {
      await backend.database.ensureTables('sync', SYNC_MIGRATIONS);
      if ((await backend.database.read(() => countStatus())).pending > 0) {
        throw unsentWork();
      }
    } finally {
      await backend.close();
    }
  }
}

function unsentWork(): PerigeeError {
  return new PerigeeError(
    'SYNC_UNSENT',
    'There is work of the user on this device that the remote has not acknowledged. Sync first, or say what becomes of it: keep or discard.',
  );
}

function checkLogout({ unsent = 'refuse', removeData = false }: LogoutOptions): {
  readonly unsent: UnsentWork;
  readonly removeData: boolean;
} {
  if (!(['keep', 'refuse', 'discard'] as readonly unknown[]).includes(unsent)) {
    throw new PerigeeError('INVALID_OPTION', 'The option unsent is "keep", "refuse" or "discard".');
  }
  if (unsent === 'keep' && removeData) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Unsent work cannot be kept in a file that is removed: leave one of the options unsent and removeData out.',
    );
  }
  return { unsent, removeData: removeData || unsent === 'discard' };
}
