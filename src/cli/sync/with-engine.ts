import { PerigeeError } from '../../core/errors.ts';
import { partitionKeyText } from '../../store/partition-key.ts';
import type { SqliteBackend } from '../../stores/sqlite/sqlite-backend.ts';
import { describeFile, type SyncFile } from '../../sync/describe-file.ts';
import { SyncEngine } from '../../sync/engine.ts';
import type { ScopeEntry } from '../../sync/sync-options.ts';
import { consoleLogger } from '../console-logger.ts';
import { keepingAlive } from '../../stores/common/keep-alive.ts';
import { openFile } from './open-file.ts';
import { openRemote } from './open-remote.ts';
import { parseScope, policyOf, type EngineSettings } from './sync-settings.ts';

/** Database within the file where nothing says otherwise; that of the engine. */
const DEFAULT_DATABASE = 'sync';

/** What the work of a command needs of its engine. */
export interface EngineNeeds {
  /** Conflicts are decided, or what is known of the remote changes. */
  readonly decides: boolean;
  /** It compares documents of both sides. */
  readonly compares?: boolean | undefined;
  /** A file that is not there is made, where user and scope are given. */
  readonly creates: boolean;
  /** The work makes no sense without a remote. */
  readonly remote: boolean;
}

function fileDatabaseOf(given: string | undefined, known: SyncFile | undefined): string {
  const names = [...new Set(known?.scopes.map(({ database }) => database))];
  if (given === undefined && names.length > 1) {
    const list = names.map((name) => JSON.stringify(name)).join(', ');
    throw new PerigeeError('INVALID_OPTION', `Name the database within the file with --file-database. There is: ${list}.`);
  }
  return given ?? names[0] ?? DEFAULT_DATABASE;
}

/** The scopes given, otherwise those of the file; one that the file knows keeps its type filter. */
function scopesOf(given: readonly string[], known: SyncFile | undefined, database: string): readonly ScopeEntry[] {
  const held = known?.scopes.filter((scope) => scope.database === database) ?? [];
  if (given.length === 0) {
    if (held.length === 0) {
      throw new PerigeeError('INVALID_OPTION', 'Cannot tell what to synchronise: the file holds no scope yet. Give --scope container=key.');
    }
    return held.map(({ container, partitionKey, types }) => ({ container, partitionKey, types }));
  }
  return given.map((text) => {
    const { container, partitionKey } = parseScope(text);
    const key = partitionKeyText(partitionKey);
    const same = held.find((scope) => scope.container === container && partitionKeyText(scope.partitionKey) === key);
    return { container, partitionKey, types: same?.types };
  });
}

function userOf(given: string | undefined, known: SyncFile | undefined): string {
  const user = given ?? known?.user;
  if (user === undefined) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot tell whose file this is: it belongs to nobody yet. Give --user.');
  }
  return user;
}

/** Opens the engine on a file, does work with it and closes everything.  */
export async function withEngine(settings: EngineSettings, needs: EngineNeeds, work: (engine: SyncEngine) => Promise<void>): Promise<void> {
  const given = settings.remote ?? process.env['PERIGEE_REMOTE'];
  if (needs.remote && given === undefined) {
    throw new PerigeeError('INVALID_OPTION', 'Cannot synchronise without a remote: name it with --remote, or in PERIGEE_REMOTE.');
  }
  const policy = policyOf(settings.policy ?? 'last-write-wins');
  // Read before anything is opened, so that what is mistyped makes no file.
  settings.scope.forEach(parseScope);
  const remote = openRemote(given, settings.file, settings.database);
  const backend: SqliteBackend = await openFile(settings.file, {
    mustExist: !needs.creates || settings.scope.length === 0 || settings.user === undefined,
  });
  try {
    const known = await backend.database.read(() => describeFile());
    if (needs.decides && known?.merges === true && settings.policy === undefined) {
      throw new PerigeeError(
        'INVALID_OPTION',
        'The application of this file merges documents by property, which the command line cannot: synchronise there, or give --policy to decide conflicts otherwise.',
      );
    }
    if (needs.compares === true && known?.versioned === true) {
      throw new PerigeeError(
        'INVALID_OPTION',
        'The documents of this file have versions that only its application can migrate, so the command line cannot compare both sides: verify and repair there.',
      );
    }
    const database = fileDatabaseOf(settings.fileDatabase, known);
    const engine = await SyncEngine.open({
      backend,
      database,
      user: userOf(settings.user, known),
      scope: scopesOf(settings.scope, known, database),
      remote: (container) => remote.container(container),
      policy,
      logger: consoleLogger,
    });
    try {
      // Waits between runs, and of a remote that asks for patience, are timers.
      await keepingAlive(() => work(engine));
    } finally {
      await engine.close();
    }
  } finally {
    await remote.close();
    await backend.close();
  }
}
