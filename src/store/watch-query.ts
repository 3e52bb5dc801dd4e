import { isPerigeeError } from '../core/errors.ts';
import { canonicalJson } from '../core/json-order.ts';
import type { JsonValue } from '../core/json.ts';
import type { Unsubscribe } from '../core/emitter.ts';
import type { Runtime } from '../core/runtime.ts';

/** What {@link watchQuery} needs of a store. */
export interface WatchSource<R> {
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly pollIntervalMs: number;
  readonly read: () => Promise<R[]>;
  /** Calls the listener after each commit that the store can tell of at once, and when the store has closed. */
  readonly subscribe: (listener: () => void) => Unsubscribe;
  readonly closed: () => boolean;
}

/**
 * Yields the items of a query, then again whenever they differ.
 *
 * It reads again after a commit that the store tells of and, for commits of other processes, at every poll interval. Results that come while the
 * consumer is busy are merged: it sees the newest. The iteration ends when the store is closed, and rejects when the signal aborts.
 */
export async function* watchQuery<R>(source: WatchSource<R>): AsyncGenerator<readonly R[]> {
  let dirty = false;
  let wake: (() => void) | undefined;
  const notify = (): void => {
    dirty = true;
    wake?.();
  };
  const unsubscribe = source.subscribe(notify);
  const onAbort = (): void => wake?.();
  source.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    let shown: string | undefined;
    while (!source.closed()) {
      dirty = false;
      const items = await readUnlessClosed(source);
      if (items === undefined) {
        return;
      }
      const text = items.map((item) => canonicalJson(item as JsonValue)).join('\n');
      if (text !== shown) {
        shown = text;
        yield items;
      }
      if (!dirty && !(source.signal?.aborted ?? false)) {
        await new Promise<void>((resolve) => {
          const cancel = source.runtime.setTimer(source.pollIntervalMs, resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
        wake = undefined;
      }
      source.signal?.throwIfAborted();
    }
  } finally {
    source.signal?.removeEventListener('abort', onAbort);
    unsubscribe();
  }
}

/** The items, or `undefined` when the store was closed before they were all read. */
async function readUnlessClosed<R>(source: WatchSource<R>): Promise<R[] | undefined> {
  try {
    return await source.read();
  } catch (error) {
    if (isPerigeeError(error, 'CLOSED') && source.closed()) {
      return undefined;
    }
    throw error;
  }
}
