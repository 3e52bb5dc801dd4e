import { isPerigeeError, throwIfAborted } from '../../core/errors.ts';
import { sleep, type Runtime } from '../../core/runtime.ts';
import { keepingAlive } from '../common/keep-alive.ts';

/** How long one statement may block on another process's lock. Between such waits other tasks of this process have their turn. */
export const BUSY_SLICE_MS = 5;

/** How long to wait for a lock, and by which clock. */
export interface BusyWait {
  readonly busyTimeoutMs: number;
  readonly runtime: Runtime;
}

/** Repeats what another process's lock refuses until `busyTimeoutMs` have passed, giving way to other tasks in between. @throws STORE_BUSY, the signal's reason */
export async function untilFree<T>({ busyTimeoutMs, runtime }: BusyWait, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const startMs = runtime.monotonicMs();
  for (;;) {
    const triedMs = runtime.monotonicMs();
    try {
      return await attempt();
    } catch (error) {
      if (!isPerigeeError(error, 'STORE_BUSY') || runtime.monotonicMs() - startMs >= busyTimeoutMs) {
        throw error;
      }
    }
    await runtime.yieldTask();
    // While a log is begun, recovered or ended SQLite refuses at once instead of blocking, because two who wait for each other would wait for ever.
    const leftMs = triedMs + BUSY_SLICE_MS - runtime.monotonicMs();
    if (leftMs > 0) {
      await keepingAlive(() => sleep(runtime, leftMs, signal));
    }
    throwIfAborted(signal);
  }
}
