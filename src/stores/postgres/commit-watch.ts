import type { Unsubscribe } from '../../core/emitter.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import type { Signals } from './signals.ts';

/** Wakes those who follow a container when any server may have committed to it: by signals, and by asking now and then. */
export class CommitWatch {
  readonly #database: PostgresDatabase;
  readonly #signals: Signals | undefined;
  readonly #pollIntervalMs: number;

  constructor(database: PostgresDatabase, signals: Signals | undefined, pollIntervalMs: number) {
    this.#database = database;
    this.#signals = signals;
    this.#pollIntervalMs = pollIntervalMs;
  }

  watch(container: PostgresContainer, listener: () => void): Unsubscribe {
    const forget = this.#signals?.listen((containers) => {
      if (containers === 'all' || containers.has(container.number)) {
        listener();
      }
    });
    const stop = this.#poll(container, listener);
    return () => {
      forget?.();
      stop();
    };
  }

  #poll(container: PostgresContainer, listener: () => void): () => void {
    const { runtime, logger } = this.#database;
    let stopped = false;
    // What was taken before the first look may have been committed after whoever waits has read.
    let known: number | undefined;
    let wasOpen = true;
    let cancel = (): void => undefined;
    const ask = async (): Promise<void> => {
      try {
        const { head, isOpen } = await container.progress();
        // A position is taken before its write is committed, so one that was there may belong to a write that was not.
        if (!stopped && (head !== known || wasOpen)) {
          listener();
        }
        known = head;
        wasOpen = isOpen;
      } catch (error) {
        logger.log('warn', 'Looking for commits of other servers failed; it is tried again.', { error });
      }
      schedule();
    };
    const schedule = (): void => {
      if (!stopped) {
        cancel = runtime.setTimer(this.#pollIntervalMs, () => void ask());
      }
    };
    schedule();
    return () => {
      stopped = true;
      cancel();
    };
  }
}
