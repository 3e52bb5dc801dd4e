import { mkdirSync } from 'node:fs';
import { importPeer, loadPeer } from './load-peer.ts';
import type { sampleDocument } from './harness.ts';

type Document = ReturnType<typeof sampleDocument>;

/** Another local database whose writes are kept to be sent, as a benchmark of writes sees it. */
export interface WritePeer {
  readonly name: string;
  /** Writes one document as the product's own call for one does. */
  readonly write: (document: Document) => Promise<unknown>;
  /** Ways to write many at once, by name. */
  readonly bulk: Readonly<Record<string, (documents: readonly Document[]) => Promise<unknown>>>;
  /** Documents that are held and wait to be sent. */
  readonly pending: () => Promise<number>;
  readonly close: () => Promise<void>;
}

interface PowerSyncTransaction {
  execute(sql: string, parameters: readonly unknown[]): Promise<unknown>;
}

interface PowerSync extends PowerSyncTransaction {
  init(): Promise<void>;
  executeBatch(sql: string, rows: readonly (readonly unknown[])[]): Promise<unknown>;
  writeTransaction(work: (transaction: PowerSyncTransaction) => Promise<unknown>): Promise<unknown>;
  getAll(sql: string): Promise<readonly Record<string, number>[]>;
  close(): Promise<void>;
}

interface PowerSyncModule {
  readonly PowerSyncDatabase: new (options: unknown) => PowerSync;
  readonly Schema: new (tables: unknown) => unknown;
  readonly Table: new (columns: unknown) => unknown;
  readonly column: { readonly text: unknown; readonly integer: unknown };
}

/** The columns of a document; what is nested is JSON, as PowerSync's documentation has it. */
const INSERT =
  'INSERT INTO docs (id, owner, type, title, rank, done, tags, address, body, updatedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

function rowOf({ id, owner, type, title, rank, done, tags, address, body, updatedAt }: Document): readonly unknown[] {
  return [id, owner, type, title, rank, done === true ? 1 : 0, JSON.stringify(tags), JSON.stringify(address), body, updatedAt];
}

/** PowerSync with better-sqlite3 in its thread, a table of a column per property; durable as it opens: WAL, `synchronous` normal. */
export async function openPowerSync(folder: string): Promise<WritePeer> {
  const { PowerSyncDatabase, Schema, Table, column } = (await importPeer('@powersync/node', 'lib/index.js')) as PowerSyncModule;
  const { text, integer } = column;
  const columns = {
    owner: text,
    type: text,
    title: text,
    rank: integer,
    done: integer,
    tags: text,
    address: text,
    body: text,
    updatedAt: text,
  };
  const database = new PowerSyncDatabase({
    schema: new Schema({ docs: new Table(columns) }),
    database: { dbFilename: 'powersync.db', dbLocation: folder, implementation: { type: 'better-sqlite3' } },
  });
  await database.init();
  return {
    name: 'PowerSync',
    write: (document) => database.execute(INSERT, rowOf(document)),
    bulk: {
      executeBatch: (documents) => database.executeBatch(INSERT, documents.map(rowOf)),
      writeTransaction: (documents) =>
        database.writeTransaction(async (transaction) => {
          for (const document of documents) {
            await transaction.execute(INSERT, rowOf(document));
          }
        }),
    },
    pending: async () => (await database.getAll('SELECT count(*) AS count FROM ps_crud'))[0]?.['count'] ?? 0,
    close: () => database.close(),
  };
}

interface Pouch {
  put(document: object): Promise<unknown>;
  bulkDocs(documents: readonly object[]): Promise<readonly { readonly ok?: boolean }[]>;
  info(): Promise<{ readonly update_seq: number }>;
  close(): Promise<void>;
}

function pouchDocument({ id, ...rest }: Document): object {
  return { _id: id, ...rest };
}

/** PouchDB with leveldb, whose sequence of changes is what it sends from; durable as it opens: nothing waits for the disk. */
export function openPouch(folder: string): WritePeer {
  const PouchDB = loadPeer('pouchdb-node') as new (path: string) => Pouch;
  mkdirSync(folder, { recursive: true });
  const database = new PouchDB(`${folder}/pouch`);
  return {
    name: 'PouchDB',
    write: (document) => database.put(pouchDocument(document)),
    bulk: { bulkDocs: (documents) => database.bulkDocs(documents.map(pouchDocument)) },
    pending: async () => (await database.info()).update_seq,
    close: () => database.close(),
  };
}
