import { run, type Program } from '../../stores/sqlite/driver.ts';
import { readMeta, writeMeta } from '../state/meta.ts';
import type { Scope } from '../state/scope.ts';

/** How far a scope is: every document up to `after` has the version, `null` for all of them. */
export interface MigrationProgress {
  readonly version: number;
  readonly after: string | null;
  /** Whether a document was left as it was, which is then tried again by the next life. */
  readonly failed: boolean;
}

const keyOf = (scope: number): string => `schema ${scope}`;

/** Lets the next life look at every document of a scope again: one was taken over that could not be migrated. */
export function* forgetMigrated(scope: number): Program<void> {
  yield* run('DELETE FROM sync_meta WHERE key = ?', keyOf(scope));
}

/** How far a scope is towards the version of the program; `undefined` where nothing was done yet. */
export function* readProgress({ number, form }: Scope): Program<MigrationProgress | undefined> {
  const text = yield* readMeta(keyOf(number));
  const progress = text === undefined ? undefined : (JSON.parse(text) as MigrationProgress);
  return progress?.version === form.schema?.version ? progress : undefined;
}

/** Whether nothing is left to be migrated. */
export function* isMigrated(scope: Scope): Program<boolean> {
  if (scope.form.schema === undefined) {
    return (yield* readMeta(keyOf(scope.number))) === undefined;
  }
  return (yield* readProgress(scope))?.after === null;
}

/** Notes how far a scope is. */
export function* noteProgress(scope: number, progress: MigrationProgress): Program<void> {
  yield* writeMeta(keyOf(scope), JSON.stringify(progress));
}
