/** What each runner runs twice at the same time: two files that use the same names and must not see each other. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { useEmulator } from 'perigee/testing';

/** Waits until the other file has come as far, so that both hold their documents at once. */
async function meetOther(name) {
  const folder = process.env.PERIGEE_MEETING;
  writeFileSync(join(folder, name), '');
  while (!['first', 'second'].every((one) => existsSync(join(folder, one)))) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function seed(emulator) {
  const { database } = await emulator.client(CosmosClient).databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'notes', partitionKey: '/owner' });
  await container.items.create({ id: 'seeded', owner: 'ada', text: 'as it was' });
}

export function defineScenario({ name, test, hooks, store }) {
  const emulator = useEmulator({ hooks, store, seed });
  const notes = () => emulator.client(CosmosClient).database('app').container('notes');
  const idsThere = async () => (await notes().items.query('SELECT VALUE c.id FROM c').fetchAll()).resources.toSorted();

  for (const round of [1, 2]) {
    test(`${name}: round ${round} begins with the seed and sees its own documents alone`, async () => {
      assert.deepEqual(await idsThere(), ['seeded']);
      assert.equal((await notes().item('seeded', 'ada').read()).resource.text, 'as it was');
      await notes().items.create({ id: `${name}-${round}`, owner: 'ada' });
      await notes().item('seeded', 'ada').replace({ id: 'seeded', owner: 'ada', text: 'changed' });
      await emulator.client(CosmosClient).databases.create({ id: 'left behind' });
      await meetOther(name);
      assert.deepEqual(await idsThere(), [`${name}-${round}`, 'seeded']);
    });
  }

  test(`${name}: connects by the connection string, too`, async () => {
    const client = new CosmosClient(emulator.connectionString);
    const { resources } = await client.databases.readAll().fetchAll();
    client.dispose();
    assert.deepEqual(
      resources.map(({ id }) => id),
      ['app'],
    );
  });
}
