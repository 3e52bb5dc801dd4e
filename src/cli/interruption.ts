import { setMaxListeners } from 'node:events';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** What a shell gives for a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/** Runs `work` with a signal that aborts on Ctrl-C; work that ends so sets the exit code, and `told` is said. */
export async function interruptible(told: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const onSignal = (): void => controller.abort();
  SIGNALS.forEach((signal) => process.once(signal, onSignal));
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) {
      throw error;
    }
    console.error(`perigee: interrupted; ${told}`);
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    SIGNALS.forEach((signal) => process.removeListener(signal, onSignal));
  }
}
