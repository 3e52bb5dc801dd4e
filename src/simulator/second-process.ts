import type { JsonObject } from '../core/json.ts';
import type { SqliteBackend } from '../stores/sqlite/sqlite-backend.ts';
import type { SyncEngine } from '../sync/engine.ts';
import type { SyncReport } from '../sync/sync-report.ts';
import type { SyncedStore } from '../sync/writes/synced-store.ts';
import type { DiskProcess } from './disk/simulated-disk.ts';
import type { SimulatedDocument } from './simulated-device.ts';

/** A second program on the file of a device, which can be killed while the first goes on. */
export class SecondProcess {
  readonly name: string;
  readonly process: DiskProcess;
  readonly engine: SyncEngine;
  /** Runs that were asked for and have not ended. */
  readonly running: Set<Promise<unknown>> = new Set();
  readonly #backend: SqliteBackend;

  constructor(name: string, process: DiskProcess, backend: SqliteBackend, engine: SyncEngine) {
    this.name = name;
    this.process = process;
    this.engine = engine;
    this.#backend = backend;
  }

  get isUp(): boolean {
    return !this.process.isDown;
  }

  get notes(): SyncedStore<SimulatedDocument & JsonObject> {
    return this.engine.store('notes');
  }

  /** Runs the engine; resolves with its report, or with what it failed with. */
  run(start: (engine: SyncEngine) => Promise<SyncReport>): Promise<SyncReport | Error> {
    const run = start(this.engine).catch((error: unknown) => error as Error);
    this.running.add(run);
    return run.finally(() => this.running.delete(run));
  }

  /** Ends as a program does that is asked to. */
  async stop(): Promise<void> {
    await this.engine.close();
    await this.#backend.close();
  }
}
