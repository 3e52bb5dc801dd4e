import { MessageChannel } from 'node:worker_threads';

/** Does work during which the process stays, also where only timers are waited for: those of the runtime do not keep it. */
export async function keepingAlive<R>(work: () => Promise<R>): Promise<R> {
  const { port1 } = new MessageChannel();
  // A port that somebody listens to is a reason to stay.
  port1.on('message', () => undefined);
  try {
    return await work();
  } finally {
    port1.close();
  }
}
