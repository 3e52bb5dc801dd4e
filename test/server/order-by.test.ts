import { describe, expect, test } from 'vitest';
import type { ServerOptions } from '../../src/server/index.ts';
import { startServer } from '../../src/server/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { serve } from './served.ts';

const NO_COMPOSITE = 'The order by query does not have a corresponding composite index that it can be served from.';
const QUERY = 'SELECT VALUE c.id FROM c ORDER BY c.a, c.b';

const POLICIES = {
  default: undefined,
  stated: { includedPaths: [{ path: '/a/?' }], excludedPaths: [{ path: '/*' }] },
  composite: {
    includedPaths: [{ path: '/*' }],
    compositeIndexes: [
      [
        { path: '/a', order: 'ascending' as const },
        { path: '/b', order: 'ascending' as const },
      ],
    ],
  },
};

/** Runs the query through the SDK on a container with each policy: rows, or the message of the refusal. */
async function outcomes(options: Partial<ServerOptions>, query: string): Promise<Record<string, unknown>> {
  const { client } = await serve(options);
  const { database } = await client().databases.create({ id: 'd' });
  const found: Record<string, unknown> = {};
  for (const [id, indexingPolicy] of Object.entries(POLICIES)) {
    const { container } = await database.containers.create({ id, partitionKey: '/id', ...(indexingPolicy && { indexingPolicy }) });
    await container.items.create({ id: '1', a: 1, b: 2 });
    await container.items.create({ id: '2', a: 1, b: 1 });
    try {
      found[id] = (await container.items.query(query).fetchAll()).resources;
    } catch (error) {
      const { code, message } = error as { readonly code: unknown; readonly message: string };
      found[id] = [code, message.includes(NO_COMPOSITE)];
    }
  }
  return found;
}

describe('ORDER BY over several keys, through the SDK', () => {
  const refused = [400, true];
  const rows = ['2', '1'];
  test.each([
    [undefined, { default: rows, stated: refused, composite: rows }],
    ['policy', { default: rows, stated: refused, composite: rows }],
    ['strict', { default: refused, stated: refused, composite: rows }],
    ['lenient', { default: rows, stated: rows, composite: rows }],
  ] as const)('orderBy %s', async (orderBy, expected) => {
    expect(await outcomes({ orderBy }, QUERY)).toEqual(expected);
  });

  test('an excluded path cannot be sorted by where the policy is stated', async () => {
    const { default: byDefault, stated } = await outcomes({}, 'SELECT VALUE c.id FROM c ORDER BY c.b');
    expect(byDefault).toEqual(rows);
    expect(stated).toEqual([400, false]);
  });

  test('an unknown mode is refused at the start', async () => {
    const backend = openMemoryBackend();
    await expect(startServer({ backend, port: 0, orderBy: 'maybe' as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await backend.close();
  });
});

test('a result that is not finite is 400/4001 for the SDK', async () => {
  const { client } = await serve();
  const { database } = await client().databases.create({ id: 'd' });
  const { container } = await database.containers.create({ id: 'c', partitionKey: '/id' });
  await container.items.create({ id: '1', n: 0 });
  await expect(container.items.query('SELECT VALUE 1 / c.n FROM c').fetchAll()).rejects.toMatchObject({ code: 400, substatus: 4001 });
});

test('a definition that the service refuses is refused with its reason', async () => {
  const { client } = await serve();
  const { database } = await client().databases.create({ id: 'd' });
  const create = (more: object): Promise<unknown> => database.containers.create({ id: 'c', partitionKey: '/id', ...more });
  await expect(create({ indexingPolicy: { includedPaths: [{ path: '/a' }] } })).rejects.toMatchObject({
    code: 400,
    message: expect.stringContaining('"/a"'),
  });
  await expect(create({ computedProperties: [{ name: 'x', query: 'SELECT VALUE COUNT(1) FROM c' }] })).rejects.toMatchObject({
    code: 400,
    message: expect.stringContaining('an aggregate'),
  });
});
