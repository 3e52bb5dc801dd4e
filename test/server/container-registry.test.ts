import { expect, onTestFinished, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { systemRuntime } from '../../src/core/runtime.ts';
import { ServerCatalog } from '../../src/server/catalog/server-catalog.ts';
import { ContainerRegistry } from '../../src/server/container-registry.ts';
import { LayoutStore } from '../../src/server/partitions/layout-store.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';

async function newRegistry(): Promise<ContainerRegistry> {
  const backend = openMemoryBackend();
  await backend.createDatabase('db');
  await backend.createContainer('db', { id: 'c', partitionKey: '/k' });
  const layouts = new LayoutStore(new ServerCatalog(backend));
  const registry = new ContainerRegistry(backend, systemRuntime, silentLogger, { layouts, offers: undefined });
  onTestFinished(async () => {
    await registry.close();
    await backend.close();
  });
  return registry;
}

test('work on a container that is replaced again and again ends on the one there is in the end', async () => {
  const registry = await newRegistry();
  const stores = new Set<unknown>();
  const found = await registry.use('db', 'c', async ({ store }) => {
    stores.add(store);
    if (stores.size <= 3) {
      registry.drop('db', 'c');
      await store.close();
    }
    return store.read('1', 'a');
  });
  expect([found, stores.size]).toEqual([undefined, 4]);
});

test('work that says each time that its store is closed is not begun for ever', async () => {
  const registry = await newRegistry();
  let begun = 0;
  const work = registry.use('db', 'c', () => {
    begun += 1;
    registry.drop('db', 'c');
    return Promise.reject(new PerigeeError('CLOSED', 'It is closed.'));
  });
  await expect(work).rejects.toMatchObject({ code: 'CLOSED' });
  expect(begun).toBeLessThan(50);
});
