import { expect, onTestFinished, test } from 'vitest';
import type { CosmosDocumentStore } from '../../../src/stores/cosmos/index.ts';
import { failureOf, openFaulty } from './helpers.ts';
import { serviceAnswer, serviceError, startFaultServer, stored, type FaultServer } from './fault-server.ts';

const KEYS = Array.from({ length: 60 }, (_, n) => ({ id: String(n), partitionKey: `owner ${n}` }));

/** Warnings that the process gives during a call. */
async function warningsOf(call: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const onWarning = ({ name }: Error): number => names.push(name);
  process.on('warning', onWarning);
  await call();
  // Warnings come on a later turn.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  process.off('warning', onWarning);
  return names;
}

async function faulty(): Promise<{ readonly server: FaultServer; readonly store: CosmosDocumentStore }> {
  const server = await startFaultServer();
  const { backend, store } = await openFaulty(server.url, { maxConcurrency: 50 });
  onTestFinished(async () => {
    await backend.close();
    await server.close();
  });
  return { server, store };
}

test('many requests side by side under one signal are no leak of listeners', async () => {
  const { store, server } = await faulty();
  // A signal of its own for each: a process is told once of one.
  const [first, second] = [new AbortController(), new AbortController()];
  server.answer(() => serviceAnswer(201, stored('1')));
  const operations = KEYS.map(({ id, partitionKey }) => ({ type: 'create' as const, document: { id, owner: partitionKey } }));
  expect(await warningsOf(() => store.bulk(operations, { signal: first.signal }))).toEqual([]);
  server.answer(() => serviceError(404));
  expect(await warningsOf(() => store.readMany(KEYS, { signal: second.signal }))).toEqual([]);
});

test('the signal still ends all of them, with its own reason', async () => {
  const { store, server } = await faulty();
  server.answer({ silent: true });
  const stop = new AbortController();
  const reason = new Error('Enough.');
  const reading = store.readMany(KEYS, { signal: stop.signal });
  while ((await server.openConnections()) < 20) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
  while ((await server.openConnections()) > 0) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  server.answer(serviceError(404));
  expect((await failureOf(store.replace({ id: '1', owner: 'ada' }, { ifMatch: '"1"' }))).code).toBe('NOT_FOUND');
});
