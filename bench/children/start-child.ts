/** Starts a server in this process, first with all that has to be loaded, then again and again, and prints what each took in milliseconds. */
import type { openMemoryBackend as OpenMemoryBackend } from '../../src/stores/memory/index.ts';
import type { startServer as StartServer } from '../../src/server/index.ts';

const WARM_ROUNDS = 20;

async function startedMs(): Promise<number> {
  const startMs = performance.now();
  const [{ openMemoryBackend }, { startServer }] = [
    await import('../../dist/stores/memory/index.js' as string),
    await import('../../dist/server/index.js' as string),
  ] as [{ openMemoryBackend: typeof OpenMemoryBackend }, { startServer: typeof StartServer }];
  const backend = openMemoryBackend();
  const server = await startServer({ backend, port: 0 });
  const elapsedMs = performance.now() - startMs;
  await server.close();
  await backend.close();
  return elapsedMs;
}

const coldMs = await startedMs();
const warmMs: number[] = [];
for (let round = 0; round < WARM_ROUNDS; round += 1) {
  warmMs.push(await startedMs());
}
console.log(JSON.stringify({ coldMs, warmMs: warmMs.toSorted((left, right) => left - right)[WARM_ROUNDS / 2] }));
