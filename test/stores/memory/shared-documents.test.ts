import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';

type Item = { id: string; pk: string; list: number[]; part: { n: number } };

test('what a query gives is nobody else’s, whatever its caller or a function does with it', async () => {
  const backend = openMemoryBackend({
    userDefinedFunctions: {
      spoil: (value) => {
        (value as Record<string, unknown>)['n'] = 'spoilt';
        return true;
      },
    },
  });
  await backend.createDatabase('db');
  await backend.createContainer('db', { id: 'docs', partitionKey: '/pk' });
  const store = await backend.container<Item>('db', 'docs');
  await store.create({ id: 'a', pk: 'p', list: [1, 2], part: { n: 1 } });
  for (const query of [
    'SELECT * FROM c',
    'SELECT VALUE c FROM c ORDER BY c.id',
    'SELECT c.list, c.part FROM c',
    'SELECT VALUE c.part FROM c',
  ]) {
    const ask = async (): Promise<JsonObject> => (await store.query<JsonObject>(query).toArray())[0] as JsonObject;
    const first = await ask();
    const before = structuredClone(first);
    for (const value of [first['list'], first['part'], first]) {
      if (Array.isArray(value)) {
        value.push(3);
      } else if (value !== undefined) {
        (value as Record<string, unknown>)['n'] = 'changed';
      }
    }
    expect(await ask()).toEqual(before);
  }
  expect(await store.query('SELECT VALUE udf.spoil(c.part) FROM c').toArray()).toEqual([true]);
  expect(await store.query('SELECT VALUE c.part.n FROM c').toArray()).toEqual([1]);

  await store.replace({ id: 'a', pk: 'p', list: [], part: { n: 2 } });
  expect(await store.query('SELECT VALUE c.part.n FROM c').toArray()).toEqual([2]);
  await store.delete('a', 'p');
  expect(await store.query('SELECT VALUE c.part.n FROM c').toArray()).toEqual([]);
  await backend.close();
});
