import { describe, expect, it } from 'vitest';

import { openMemoryBackend } from '../../../src/stores/memory/index.ts';

const LEVELS = 40;

/** A LET for each level, whose value holds that of the level before twice. */
function doubled(body: string, value: (before: string) => string = (before) => `[${before}, ${before}]`): string {
  const names = Array.from({ length: LEVELS }, (_, level) => `(LET a${level + 1} = ${value(`a${level}`)} IN `);
  return `(LET a0 = [1, NaN] IN ${names.join('')}${body}${')'.repeat(LEVELS + 1)}`;
}

async function limitOf(text: string): Promise<unknown> {
  const backend = openMemoryBackend();
  try {
    await backend.createDatabase('app');
    await backend.createContainer('app', { id: 'items', partitionKey: '/id' });
    const items = await backend.container('app', 'items');
    await items.create({ id: '1', list: Array.from({ length: 100 }, (_, index) => index) });
    return await items
      .query(text)
      .toArray()
      .catch((error: unknown) => error);
  } finally {
    await backend.close();
  }
}

describe('values that a short text makes endless', () => {
  it.each([
    ['as a result', `SELECT VALUE ${doubled(`a${LEVELS}`)}`],
    ['compared', `SELECT VALUE ${doubled(`a${LEVELS} = ARRAY_CONCAT(a${LEVELS}, [])`)}`],
    ['as text', `SELECT VALUE LENGTH(TOSTRING(${doubled(`a${LEVELS}`)}))`],
    ['in objects', `SELECT VALUE ${doubled(`HASH(a${LEVELS})`, (before) => `{x: ${before}, y: ${before}}`)}`],
    ['by ARRAY_CONCAT', `SELECT VALUE ${doubled(`ARRAY_LENGTH(a${LEVELS})`, (before) => `ARRAY_CONCAT(${before}, ${before})`)}`],
    ['by texts', `SELECT VALUE ${doubled(`LENGTH(a${LEVELS})`, (before) => `TOSTRING([${before}, ${before}])`)}`],
    [
      'by subqueries of FROM',
      `SELECT VALUE HASH(x) FROM ${'(SELECT VALUE [x, x] FROM '.repeat(LEVELS)}(SELECT VALUE [1]) x${') x'.repeat(LEVELS)}`,
    ],
    [
      'by joined subqueries',
      `SELECT VALUE [${Array.from({ length: 30_000 }, () => 'c.list').join(', ')}] FROM c JOIN (SELECT VALUE [${Array.from({ length: 30_000 }, () => 'c').join(', ')}] FROM x IN c.list) y`,
    ],
  ])('are refused %s', async (_, text) => {
    expect(await limitOf(text)).toMatchObject({ code: 'QUERY_LIMIT' });
  });
});

describe('loops inside one document', () => {
  const loops = 'a IN c.list JOIN b IN c.list JOIN d IN c.list JOIN e IN c.list JOIN f IN c.list';

  it.each([
    ['a scalar subquery', `SELECT VALUE (SELECT VALUE COUNT(1) FROM ${loops}) FROM c`],
    ['EXISTS', `SELECT VALUE EXISTS(SELECT VALUE 1 FROM ${loops} WHERE a + b + d + e + f < 0) FROM c`],
    [
      'a subquery in a subquery',
      `SELECT VALUE (SELECT VALUE COUNT(1) FROM g IN c.list WHERE EXISTS(SELECT 1 FROM ${loops} WHERE a < 0)) FROM c`,
    ],
    [
      'JOIN over a row of a subquery',
      `SELECT VALUE COUNT(1) FROM (SELECT VALUE x FROM c x) c JOIN ${loops.replace('JOIN f IN c.list', '')}`,
    ],
  ])('end with QUERY_LIMIT in %s', async (_, text) => {
    expect(await limitOf(text)).toMatchObject({ code: 'QUERY_LIMIT' });
  });

  it('run where they are few', async () => {
    expect(await limitOf('SELECT VALUE (SELECT VALUE COUNT(1) FROM a IN c.list JOIN b IN c.list) FROM c')).toEqual([10_000]);
  });
});
