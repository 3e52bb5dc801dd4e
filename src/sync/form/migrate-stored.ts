import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import type { SqliteDatabase } from '../../stores/sqlite/sqlite-database.ts';
import { forgetMigrated, noteProgress, readProgress } from './migration-progress.ts';
import { readPending } from '../push/outbox.ts';
import { keyIn, type Scope } from '../state/scope.ts';

/** Documents looked at in one transaction. */
const PAGE = 200;

/**
 * Brings the documents that the device holds of a scope to the version of the program, in transactions of bounded size; one that was interrupted goes on. Nothing of that is pending.
 *
 * A document that cannot be migrated stays as it is.
 */
export async function migrateStored(database: SqliteDatabase, scope: Scope, runtime: Runtime): Promise<void> {
  for (let isDone = false; !isDone;) {
    isDone = await database.write(() => migrateSome(scope));
    await runtime.yieldTask();
  }
}

/** Migrates some documents. Gives whether that were the last. */
function* migrateSome(scope: Scope): Program<boolean> {
  const { number, form, store } = scope;
  if (form.schema === undefined) {
    // What a program without versions takes over is looked at by the next one that has them.
    yield* forgetMigrated(number);
    return true;
  }
  const progress = yield* readProgress(scope);
  const ids = yield* store.idsProgram(scope, progress?.after ?? '', PAGE);
  let failed = progress?.failed ?? false;
  for (const id of ids) {
    failed = !(yield* migrateOne(scope, id)) || failed;
  }
  const isDone = ids.length < PAGE;
  if (isDone && failed) {
    yield* forgetMigrated(number);
  } else {
    yield* noteProgress(number, { version: form.schema.version, after: isDone ? null : (ids.at(-1) as string), failed });
  }
  return isDone;
}

/** Gives `false` where the document had to stay as it was. */
function* migrateOne(scope: Scope, id: string): Program<boolean> {
  const { form, store } = scope;
  const key = keyIn(scope, id);
  // An expired document stays in the file while it is pending, and is still sent.
  const expired = (yield* readPending(scope.number, id)) !== undefined;
  const stored = yield* store.readProgram(key, { expired });
  const document = stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject);
  if (stored === undefined || document === undefined || !form.isOlder(document)) {
    return true;
  }
  const migrated = form.received(document);
  if (!form.knows(migrated)) {
    return false;
  }
  const prepared = prepareWhole(scope, form.carried(migrated, document));
  if (prepared === undefined) {
    form.onFailed(id);
    return false;
  }
  yield* store.putProgram(prepared, { journal: false, expiresAtSeconds: stored.expiresAtSeconds });
  return true;
}

/** `undefined` where the migrated document and its local fields are too large together. */
function prepareWhole(scope: Scope, document: JsonObject): PreparedDocument | undefined {
  try {
    return prepareDocument(document, scope.paths);
  } catch (error) {
    if (isPerigeeError(error)) {
      return undefined;
    }
    throw error;
  }
}
