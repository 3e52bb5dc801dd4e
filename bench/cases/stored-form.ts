import Database from 'better-sqlite3';
import { compareRates, sampleDocument, timed, type BenchResult } from '../harness.ts';
import { Workspace } from '../raw-twin.ts';

type Sample = Readonly<Record<string, unknown>> & { readonly id: string };

/** Documents of one size, and how many are held. */
interface Corpus {
  readonly name: string;
  readonly held: number;
  document(index: number): Sample;
}

const corpora: readonly Corpus[] = [
  { name: '500 bytes', held: 100_000, document: (index) => sampleDocument(index, `owner-${index % 50}`) },
  {
    name: '10 KB',
    held: 8000,
    document: (index) => ({
      ...sampleDocument(index, `owner-${index % 50}`),
      lines: Array.from({ length: 95 }, (_, line) => ({
        sku: `item-${index}-${line}`,
        count: line,
        price: line * 1.25,
        note: 'some words',
        open: line % 2 === 0,
      })),
    }),
  },
];

/** A table of documents in one of the two forms, with the columns and indexes of a store. */
class FormTable {
  readonly database: Database.Database;
  readonly #insert: Database.Statement;
  readonly #find: Database.Statement;
  readonly #read: string;
  #ordinal = 0;

  constructor(path: string, form: 'text' | 'jsonb') {
    this.database = new Database(path);
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = NORMAL');
    this.database.exec(
      'CREATE TABLE c1 (ordinal INTEGER PRIMARY KEY, pk TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, epk TEXT NOT NULL, ts INTEGER NOT NULL, expires_at INTEGER, body BLOB NOT NULL, UNIQUE (pk, id)); CREATE INDEX c1_pk ON c1 (pk)',
    );
    this.#read = form === 'jsonb' ? 'json(body)' : 'body';
    this.#insert = this.database.prepare(`INSERT INTO c1 VALUES (?, ?, ?, ?, ?, ?, ?, ${form === 'jsonb' ? 'jsonb(?)' : '?'})`);
    this.#find = this.database.prepare(`SELECT ordinal, position, ts, ${this.#read} AS body FROM c1 WHERE pk = ? AND id = ?`);
  }

  insert(document: Sample): void {
    this.#ordinal += 1;
    const { owner } = document;
    const [place, epk] = [this.#ordinal, '2F2AB0C4D4B5E6F70011223344556677'];
    this.#insert.run(place, `["${String(owner)}"]`, `${document.id}-${place}`, place, epk, 1_700_000_000, null, JSON.stringify(document));
  }

  read(ordinal: number, { id, owner }: Sample): unknown {
    return JSON.parse((this.#find.get(`["${String(owner)}"]`, `${id}-${ordinal}`) as { body: string }).body);
  }

  documents(where: string): number {
    const rows = this.database.prepare(`SELECT ${this.#read} AS body FROM c1 WHERE ${where}`).all() as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body) as unknown).length;
  }

  groups(): number {
    return this.database
      .prepare("SELECT json_extract(body, '$.address.city') AS city, count(*), avg(json_extract(body, '$.rank')) FROM c1 GROUP BY city")
      .all().length;
  }

  bytes(): number {
    this.database.pragma('wal_checkpoint(TRUNCATE)');
    return Number(this.database.pragma('page_count', { simple: true })) * Number(this.database.pragma('page_size', { simple: true }));
  }
}

interface Work {
  readonly name: string;
  readonly unit: string;
  readonly units: number;
  run(table: FormTable, corpus: Corpus): void;
}

const WRITES = 2000;
const READS = 20_000;
const SCANS = 3;

const works: readonly Work[] = [
  {
    name: 'point read',
    unit: 'reads/s',
    units: READS,
    run(table, corpus) {
      for (let count = 0; count < READS; count += 1) {
        const index = (count * 7919) % corpus.held;
        table.read(index + 1, sampleDocument(index, `owner-${index % 50}`));
      }
    },
  },
  {
    name: 'scan with filter',
    unit: 'scans/s',
    units: SCANS,
    run(table) {
      for (let count = 0; count < SCANS; count += 1) {
        table.documents("json_extract(body, '$.rank') > 9000 AND json_extract(body, '$.type') = 'task'");
      }
    },
  },
  { name: 'reading everything', unit: 'scans/s', units: 1, run: (table) => void table.documents('1') },
  {
    name: 'GROUP BY',
    unit: 'scans/s',
    units: SCANS,
    run(table) {
      for (let count = 0; count < SCANS; count += 1) {
        table.groups();
      }
    },
  },
  {
    name: 'write, one transaction each',
    unit: 'writes/s',
    units: WRITES,
    run(table, corpus) {
      for (let count = 0; count < WRITES; count += 1) {
        table.database.transaction(() => table.insert(corpus.document(count))).immediate();
      }
    },
  },
];

/** JSONB against text as the stored form of documents, by the driver alone: the figures behind the choice in `src/stores/sqlite/ARCHITECTURE.md`. */
export async function* run(): AsyncGenerator<BenchResult> {
  for (const corpus of corpora) {
    const workspace = new Workspace();
    const tables = (['jsonb', 'text'] as const).map((form) => new FormTable(workspace.file(), form));
    const [jsonb, text] = tables as [FormTable, FormTable];
    for (const table of tables) {
      table.database.transaction(() => {
        for (let index = 0; index < corpus.held; index += 1) {
          table.insert(corpus.document(index));
        }
      })();
    }
    const [value, baseline] = [jsonb.bytes() / 2 ** 20, text.bytes() / 2 ** 20];
    yield { name: `JSONB, ${corpus.name}: size of the file`, value, unit: 'MiB', baseline, ratio: value / baseline, bar: null, met: null };
    for (const work of works) {
      const side = (table: FormTable) => () => timed(work.units, () => work.run(table, corpus));
      yield await compareRates({
        name: `JSONB, ${corpus.name}: ${work.name}`,
        unit: work.unit,
        rounds: 5,
        measured: side(jsonb),
        baseline: side(text),
      });
    }
    for (const table of tables) {
      table.database.close();
    }
    workspace.dispose();
  }
}
