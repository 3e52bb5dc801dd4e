import { setMaxListeners } from 'node:events';

/**
 * Runs a call that sends many requests side by side with a signal of its own: each of them listens, and so many listeners on one signal of the
 * caller's would be taken for a leak, and told to the process as a warning.
 */
export async function withOwnSignal<O extends { readonly signal?: AbortSignal | undefined }, R>(
  options: O,
  work: (options: O) => Promise<R>,
): Promise<R> {
  const { signal } = options;
  if (signal === undefined) {
    return work(options);
  }
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const follow = (): void => own.abort(signal.reason);
  if (signal.aborted) {
    follow();
  }
  signal.addEventListener('abort', follow, { once: true });
  try {
    return await work({ ...options, signal: own.signal });
  } finally {
    signal.removeEventListener('abort', follow);
  }
}
