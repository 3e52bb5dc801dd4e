/** Cancels a timer; calling it twice, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/**
 * Time and chance. Only implementations of this interface read the clock, set timers or draw random numbers, so a run under a simulated
 * runtime repeats from its seed.
 */
export interface Runtime {
  /** Wall-clock time in milliseconds since 1970; may jump backwards. */
  nowMs(): number;
  /** Time in milliseconds that never goes backwards; only differences have a meaning. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`; the timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
  /** Lets other tasks of the event loop run, then resolves. */
  yieldTask(): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
  /** `length` bytes that an attacker cannot guess (simulated runtimes: from the seed). */
  randomBytes(length: number): Uint8Array;
}

const MAX_TIMER_MS = 0x7fffffff;

/** The real clock, timers and random numbers of the host. */
export const systemRuntime: Runtime = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    (handle as { unref?: () => void }).unref?.();
    return () => clearTimeout(handle);
  },
  yieldTask: () =>
    new Promise((resolve) => {
      const host = globalThis as { setImmediate?: (callback: () => void) => unknown };
      if (host.setImmediate === undefined) {
        setTimeout(resolve, 0);
      } else {
        host.setImmediate(resolve);
      }
    }),
  random: () => Math.random(),
  randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
};

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted.
 *
 * The timer of {@link Runtime.setTimer} does not keep a process alive; a caller that must outlive it holds a handle of its own.
 */
export function sleep(runtime: Runtime, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = runtime.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Bytes as lower-case hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text += HEX[byte] as string;
  }
  return text;
}

/** A random UUID (version 4, RFC 9562) drawn from the runtime. */
export function randomUuid(runtime: Runtime): string {
  const bytes = runtime.randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
