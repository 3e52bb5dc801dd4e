import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { SqliteConnection, SqliteConnectionOptions, SqliteDriver, SqliteStep } from '../../stores/sqlite/driver.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** How a device stops: its process is killed, or its power is gone. */
export type Crash = 'kill' | 'power-loss';

/** What {@link SimulatedDisk} draws at a loss of power. */
export interface CrashChance {
  below(limit: number): number;
}

const LOG = '-wal';

/** One of the processes that have the file of a device open. */
export interface DiskProcess {
  readonly driver: SqliteDriver;
  /** Whether it was killed, or the device is down. */
  readonly isDown: boolean;
  /** Kills it alone, before the statement that many from now: what it has open is gone, and its locks with it. */
  killIn(statements: number): void;
}

interface OpenProcess {
  killIn: number;
  isKilled: boolean;
  readonly open: Set<SqliteConnection>;
}

/**
 * The file of one device. Its statements run on a real SQLite, one after the other, until the device crashes before one of them: from then on nothing
 * is written, and the device goes on from a copy of what was there. A kill leaves the file and its whole log; a loss of power cuts the log anywhere
 * behind what was flushed.
 */
export class SimulatedDisk {
  readonly driver: SqliteDriver;
  /** Called with the text values of each statement that writes. */
  onWritten: (text: string) => void = () => undefined;
  /** Called before each statement of a device that is up. */
  onStatement: () => void = () => undefined;
  /** Whether writes are refused for want of space. */
  isFull = false;
  readonly #inner: SqliteDriver;
  readonly #folder: string;
  readonly #name: string;
  readonly #chance: CrashChance;
  readonly #open = new Set<SqliteConnection>();
  #files = 0;
  #lookers = 0;
  #path: string;
  #crashIn = Number.POSITIVE_INFINITY;
  #crash: Crash = 'kill';
  #isDown = false;
  #flushed: { readonly round: string; readonly frames: number } = { round: '', frames: 0 };
  #lastCrash: Crash | undefined;

  constructor(inner: SqliteDriver, folder: string, name: string, chance: CrashChance) {
    this.#inner = inner;
    this.#folder = folder;
    this.#name = name;
    this.#chance = chance;
    this.#path = this.#nextPath();
    this.driver = { name: inner.name, open: async (options) => this.#connect(await inner.open(options), options) };
  }

  get path(): string {
    return this.#path;
  }

  /** What the device crashed with last. */
  get lastCrash(): Crash | undefined {
    return this.#lastCrash;
  }

  /** Whether the device has crashed and not been started again. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Another process on the file. */
  process(): DiskProcess {
    const state: OpenProcess = { killIn: Number.POSITIVE_INFINITY, isKilled: false, open: new Set() };
    const life = this.#path;
    const isDown = (): boolean => state.isKilled || this.#isDown || this.#path !== life;
    return {
      driver: { name: this.driver.name, open: async (options) => this.#connect(await this.#inner.open(options), options, state) },
      get isDown(): boolean {
        return isDown();
      },
      killIn: (statements) => {
        state.killIn = statements;
      },
    };
  }

  /** Begins with the content of a file. */
  begin(template: string): void {
    copyFileSync(template, this.#path);
  }

  /** Crashes before the statement that many from now. */
  crashIn(statements: number, crash: Crash): void {
    this.#crashIn = statements;
    this.#crash = crash;
  }

  /** Looks at the file without bringing a crash nearer. */
  async look<R>(work: () => Promise<R>): Promise<R> {
    this.#lookers += 1;
    try {
      return await work();
    } finally {
      this.#lookers -= 1;
    }
  }

  /** Crashes now. */
  crash(crash: Crash): void {
    if (this.#isDown) {
      return;
    }
    const from = this.#path;
    const to = this.#nextPath();
    copyFileSync(from, to);
    if (existsSync(from + LOG)) {
      writeFileSync(to + LOG, crash === 'kill' ? readFileSync(from + LOG) : this.#cutLog(readFileSync(from + LOG)));
    }
    this.#path = to;
    if (crash === 'power-loss') {
      // What it has left is on the disk. After a kill only what was flushed before is.
      this.#noteFlush();
    }
    this.#isDown = true;
    this.#lastCrash = crash;
    this.#crashIn = Number.POSITIVE_INFINITY;
  }

  /** Frees what the life before the crash has open, and lets the next one begin. */
  async restart(): Promise<void> {
    await this.dispose();
    this.#isDown = false;
    this.isFull = false;
  }

  /** Closes connections that nobody closed. */
  async dispose(): Promise<void> {
    const open = Array.from(this.#open);
    this.#open.clear();
    for (const connection of open) {
      await connection.close();
    }
  }

  #nextPath(): string {
    this.#files += 1;
    const path = join(this.#folder, `${this.#name}-${this.#files}.db`);
    for (const end of ['', LOG, '-shm', '-journal', '-runner']) {
      rmSync(path + end, { force: true });
    }
    return path;
  }

  #cutLog(bytes: Uint8Array): Uint8Array {
    const log = new WriteAheadLog(bytes);
    const kept = log.round === this.#flushed.round ? this.#flushed.frames : 0;
    const frames = kept + this.#chance.below(log.frames - kept + 1);
    return log.cut(frames, this.#chance.below(5000));
  }

  #noteFlush(): void {
    const path = this.#path + LOG;
    if (existsSync(path)) {
      const log = new WriteAheadLog(readFileSync(path));
      this.#flushed = { round: log.round, frames: log.frames };
    }
  }

  #connect(inner: SqliteConnection, { path }: SqliteConnectionOptions, process?: OpenProcess): SqliteConnection {
    const { executeSync } = inner;
    if (executeSync === undefined) {
      throw new PerigeeError('NOT_SUPPORTED', 'The simulator needs a SQLite driver that answers at once.');
    }
    this.#open.add(inner);
    process?.open.add(inner);
    const execute = (step: SqliteStep): unknown => {
      this.#beforeIn(process);
      this.#before(path, step);
      const result = executeSync(step);
      if (step.sql.startsWith('PRAGMA wal_checkpoint')) {
        this.#noteFlush();
      }
      return result;
    };
    return {
      executeSync: execute,
      execute: async (step) => execute(step),
      close: async () => {
        process?.open.delete(inner);
        if (this.#open.delete(inner)) {
          await inner.close();
        }
      },
    };
  }

  /** The statement of a process that may be killed alone. */
  #beforeIn(process: OpenProcess | undefined): void {
    if (process === undefined || this.#isDown) {
      return;
    }
    process.killIn -= 1;
    if (process.killIn < 0 && !process.isKilled) {
      process.isKilled = true;
      for (const connection of process.open) {
        this.#open.delete(connection);
        void connection.close();
      }
      process.open.clear();
    }
    if (process.isKilled) {
      throw new PerigeeError('STORE_IO', 'The simulated process was killed.');
    }
  }

  #before(path: string, step: SqliteStep): void {
    // A lock beside the file brings no crash nearer, and is as dead as the device.
    if (path === this.#path && !this.#isDown && this.#lookers === 0) {
      this.#crashIn -= 1;
      if (this.#crashIn < 0) {
        this.crash(this.#crash);
      }
    }
    if (!path.startsWith(this.#path) || this.#isDown) {
      throw new PerigeeError('STORE_IO', 'The simulated device is down.');
    }
    if (this.#lookers === 0) {
      this.onStatement();
    }
    const isWrite = /^\s*(?:INSERT|UPDATE|REPLACE)/u.test(step.sql);
    if (isWrite && this.isFull) {
      throw new PerigeeError('STORE_FULL', 'The simulated disk is full.');
    }
    if (isWrite) {
      for (const value of step.parameters) {
        if (typeof value === 'string') {
          this.onWritten(value);
        }
      }
    }
  }
}
