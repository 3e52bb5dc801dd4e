import type { Container } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import type { ServerOptions } from '../../src/server/index.ts';
import { serve, type Served } from './served.ts';

async function four(options: Partial<ServerOptions> = {}): Promise<Served & { readonly container: Container }> {
  const served = await serve(options);
  const { database } = await served.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'items', partitionKey: '/pk' });
  for (const id of ['1', '2', '3', '4']) {
    await container.items.create({ id, pk: id });
  }
  return { ...served, container };
}

async function pageSizes(container: Container, query: string, maxItemCount: number): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { resources } of container.items.query(query, { maxItemCount }).getAsyncIterator()) {
    sizes.push(resources.length);
  }
  return sizes;
}

/** A page of two documents as a client without the SDK gets it. */
async function rawPage(
  { send }: Served,
  query: string,
  continuation?: string,
): Promise<{ status: number; rows: number; next: string | null }> {
  const response = await send('POST', '/dbs/app/colls/items/docs', {
    headers: {
      'content-type': 'application/query+json',
      'x-ms-documentdb-isquery': 'true',
      'x-ms-documentdb-query-enablecrosspartition': 'true',
      'x-ms-max-item-count': '2',
      ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
    },
    body: JSON.stringify({ query, parameters: [] }),
  });
  const { _count: rows = 0 } = (await response.json()) as { readonly _count?: number };
  return { status: response.status, rows, next: response.headers.get('x-ms-continuation') };
}

describe('the last page of a query', () => {
  test('has an empty one behind it when it is full, as in the service', async () => {
    const { container } = await four();
    expect(await pageSizes(container, 'SELECT * FROM c', 2)).toEqual([2, 2, 0]);
    expect(await pageSizes(container, 'SELECT * FROM c', 3)).toEqual([3, 1]);
    expect(await pageSizes(container, 'SELECT * FROM c', -1)).toEqual([4]);
  });

  test('ends a query over several ranges, whose pages do not stop at the ranges', async () => {
    const { container } = await four({ partitions: 3 });
    expect(await pageSizes(container, 'SELECT * FROM c', 2)).toEqual([2, 2]);
  });

  test('has a token that serves no other query', async () => {
    const served = await four();
    const first = await rawPage(served, 'SELECT * FROM c');
    const last = await rawPage(served, 'SELECT * FROM c', first.next ?? '');
    expect([first.rows, last.rows]).toEqual([2, 2]);
    expect(await rawPage(served, 'SELECT * FROM c', last.next ?? '')).toEqual({ status: 200, rows: 0, next: null });
    expect(await rawPage(served, 'SELECT c.id FROM c', last.next ?? '')).toMatchObject({ status: 400 });
  });
});
