import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { serve } from '../served.ts';
import { newStore, openEngine, procedures, targetOf } from './harness.ts';

const page = readFileSync('docs/scripts.md', 'utf8');

test('the example of the page does what it says', async () => {
  const client = (await serve()).client();
  const { database } = await client.databases.create({ id: 'bank' });
  const { container } = await database.containers.create({ id: 'accounts', partitionKey: '/bank' });
  for (const id of ['ada', 'bob']) {
    await container.items.create({ id, bank: 'bank', balance: 100 });
  }
  const code = /```js\n([\s\S]*?)```/u.exec(page)?.[1] as string;
  const module = `data:text/javascript,${encodeURIComponent(`export default async (container) => { ${code} }`)}`;
  const { default: example } = (await import(/* @vite-ignore */ module)) as { default: (given: unknown) => Promise<void> };
  await example(container);
  const { resources } = await container.items.query('SELECT VALUE c.balance FROM c ORDER BY c.id').fetchAll();
  expect(resources).toEqual([90, 110]);
  const { message } = (await container.scripts
    .storedProcedure('transfer')
    .execute('bank', ['ada', 'bob', 1000])
    .catch((error: unknown) => error)) as Error;
  expect(message).toContain('not enough');
});

test('the page names all that a script has', async () => {
  const run = procedures(openEngine());
  const source = `function () {
    __.response.setBody({
      'getContext()': Object.keys(getContext()),
      collection: Object.keys(getContext().getCollection()).filter((name) => name !== 'spatial' && !/Attachment/.test(name)),
      spatial: Object.keys(__.spatial),
      'request and response': Object.keys(__.response),
    });
  }`;
  const { body } = await run(targetOf(await newStore(), 'p'), source);
  const table = page.slice(page.indexOf('| object |'), page.indexOf('| globals |'));
  const told = new Set(Array.from(table.matchAll(/`(?:spatial\.)?([A-Za-z]+)`/gu), ([, name]) => name));
  for (const names of Object.values(body as Record<string, string[]>)) {
    expect(names.filter((name) => !told.has(name))).toEqual([]);
  }
  const has = new Set(Object.values(body as Record<string, string[]>).flat());
  const elsewhere = ['value', 'getOperationType', 'getResourceQuotaCurrentUsage', 'getMaxResourceQuota', 'request', 'response'];
  expect([...told].filter((name) => !has.has(name as string) && !elsewhere.includes(name as string))).toEqual([]);
});
