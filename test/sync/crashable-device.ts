import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentStore } from '../../src/store/document-store.ts';
import { openSqliteBackend, type SqliteBackend } from '../../src/stores/sqlite/index.ts';
import { SyncEngine, type SyncOptions } from '../../src/sync/index.ts';
import type { Note, SkewedRuntime } from './world.ts';

/** A device on a file that can be copied at any moment, as a crash would leave it, and started again from the copy. */
export class CrashableDevice {
  readonly name: string;
  readonly runtime: SkewedRuntime;
  readonly #folder: string;
  backend!: SqliteBackend;
  engine!: SyncEngine;
  notes!: DocumentStore<Note>;
  /** Counts stops; what an earlier life still asks of the remote gets no answer. */
  life = 0;
  /** Copy of the file at the moment of a crash. */
  crashed: string | undefined;
  abort: AbortController | undefined;
  #path: string;
  #files = 0;

  constructor(name: string, runtime: SkewedRuntime, folder: string) {
    this.name = name;
    this.runtime = runtime;
    this.#folder = folder;
    this.#path = this.#nextPath();
  }

  async start(options: Omit<SyncOptions, 'backend' | 'user' | 'device'>, path: string = this.#path): Promise<void> {
    this.#path = path;
    this.backend = await openSqliteBackend({ path, runtime: this.runtime });
    this.engine = await SyncEngine.open({ ...options, backend: this.backend, user: 'ada', device: this.name });
    this.notes = this.engine.store<Note>('notes');
  }

  async stop(): Promise<void> {
    this.life += 1;
    this.crashed = undefined;
    await this.engine.close();
    await this.backend.close();
  }

  /** Copies the file and its write-ahead log. */
  copy(): string {
    const to = this.#nextPath();
    copyFileSync(this.#path, to);
    if (existsSync(`${this.#path}-wal`)) {
      copyFileSync(`${this.#path}-wal`, `${to}-wal`);
    }
    return to;
  }

  #nextPath(): string {
    this.#files += 1;
    return join(this.#folder, `${this.name}-${this.#files}.db`);
  }
}
