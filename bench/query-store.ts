import Database from 'better-sqlite3';
import type { JsonObject } from '../src/core/json.ts';
import type { DocumentStore } from '../src/store/document-store.ts';
import { openSqliteBackend } from '../src/stores/sqlite/index.ts';
import { sampleDocument } from './harness.ts';
import type { Workspace } from './raw-twin.ts';

/** A container with many documents, and a copy of its file with indexes that a person would make, for hand-written SQL. */
export interface QueryStore {
  readonly store: DocumentStore;
  readonly raw: Database.Database;
  /** The table of the documents, in both files. */
  readonly table: string;
  close(): Promise<void>;
}

function tableOf(database: Database.Database): string {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
  const table = tables.find((name) => /^c\d+$/u.test(name) && database.prepare(`SELECT count(*) FROM ${name}`).pluck().get() !== 0);
  if (table === undefined) {
    throw new Error('The file has no table of documents.');
  }
  return table;
}

/**
 * Fills a container with `held` documents of about 500 bytes, lets `prepare` use it (so that indexes come that follow use), and copies the file.
 * The copy keeps every index of Perigee's and gets `indexes` beside them, each an expression over `body`.
 */
export async function openQueryStore(
  workspace: Workspace,
  held: number,
  indexingPolicy: JsonObject | undefined,
  indexes: readonly string[],
  prepare: (store: DocumentStore) => Promise<void> = () => Promise.resolve(),
): Promise<QueryStore> {
  const file = workspace.file();
  const options = { path: file, autoIndex: 'create' as const };
  const backend = await openSqliteBackend(options);
  await backend.createDatabase('bench');
  await backend.createContainer('bench', { id: 'docs', partitionKey: '/owner', indexingPolicy });
  const store = await backend.container('bench', 'docs');
  for (let start = 0; start < held; start += 1000) {
    const documents = Array.from({ length: 1000 }, (_, index) => sampleDocument(start + index, `owner-${(start + index) % 50}`));
    await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
  }
  await prepare(store);
  const copy = workspace.file();
  const source = new Database(file, { readonly: true });
  source.exec(`VACUUM INTO '${copy}'`);
  source.close();
  const raw = new Database(copy);
  raw.pragma('journal_mode = WAL');
  const table = tableOf(raw);
  for (const [number, expression] of indexes.entries()) {
    raw.exec(`CREATE INDEX hand_${number} ON ${table} (${expression})`);
  }
  raw.exec('ANALYZE');
  return {
    store,
    raw,
    table,
    async close() {
      raw.close();
      await backend.close();
    },
  };
}
