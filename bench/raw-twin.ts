import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** A folder for one benchmark; removed by {@link Workspace.dispose}. */
export class Workspace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  #files = 0;

  /** A path that no file has yet. */
  file(): string {
    this.#files += 1;
    return join(this.folder, `${this.#files}.sqlite`);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A document as the raw side writes it. */
export interface RawDocument {
  readonly id: string;
  readonly owner: string;
}

/**
 * The raw driver with the same tables, indexes, rows and durability as a Perigee file: the limit of what any program can reach with it. The
 * tables are copied from the file itself, so the two sides cannot drift apart.
 */
export class RawTwin {
  readonly database: Database.Database;
  readonly #insertDocument: Database.Statement;
  readonly #insertPending: Database.Statement | undefined;
  readonly #insertBase: Database.Statement | undefined;
  readonly #select: Database.Statement;
  #position = 0;

  constructor(perigeeFile: string, file: string) {
    const source = new Database(perigeeFile, { readonly: true });
    const schema = source
      .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
      .all() as { name: string; sql: string }[];
    source.close();
    this.database = new Database(file);
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = NORMAL');
    for (const { sql } of schema) {
      this.database.exec(sql);
    }
    const table = schema.find(({ name }) => /^c\d+$/u.test(name) && this.#columns(name).includes('body'))?.name as string;
    this.#insertDocument = this.database.prepare(
      `INSERT INTO ${table} (ordinal, pk, id, position, epk, ts, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, jsonb(?))`,
    );
    this.#select = this.database.prepare(`SELECT json(body) AS body FROM ${table} WHERE pk = ? AND id = ?`);
    const has = (name: string): boolean => schema.some((entry) => entry.name === name);
    this.#insertPending = has('sync_outbox')
      ? this.database.prepare('INSERT INTO sync_outbox (scope, id, kind, generation, stamp, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)')
      : undefined;
    this.#insertBase = has('sync_base')
      ? this.database.prepare('INSERT INTO sync_base (scope, id, etag, ts, position, deleted, seen) VALUES (?, ?, ?, ?, ?, 0, 0)')
      : undefined;
  }

  #columns(table: string): string[] {
    return (this.database.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  }

  /** Inserts the row of a document: the same bytes as Perigee's, whose system properties are columns. */
  insert(document: RawDocument): void {
    this.#position += 1;
    const position = this.#position;
    this.#insertDocument.run(
      position,
      `["${document.owner}"]`,
      document.id,
      position,
      '2F2AB0C4D4B5E6F70011223344556677',
      1_700_000_000,
      null,
      JSON.stringify(document),
    );
  }

  insertPending(document: RawDocument): void {
    this.#insertPending?.run(1, document.id, 'put', this.#position, `018bcfe56800-0000-${document.owner}`, 1_700_000_000_000);
  }

  insertBase(document: RawDocument): void {
    this.#insertBase?.run(
      1,
      document.id,
      `"00000000-0000-0000-0000-${String(this.#position).padStart(12, '0')}"`,
      1_700_000_000,
      this.#position,
    );
  }

  /** Reads a document and parses it. */
  read(owner: string, id: string): unknown {
    const row = this.#select.get(`["${owner}"]`, id) as { body: string } | undefined;
    return row === undefined ? undefined : JSON.parse(row.body);
  }

  close(): void {
    this.database.close();
  }
}
