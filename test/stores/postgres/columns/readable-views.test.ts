import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SnapshotRecord } from '../../../../src/store/snapshot/snapshot-record.ts';
import { openPromoted, refused, type Promoted } from './promoted.ts';

/** Opens a store with views, which are gone when the test is finished. */
async function openViewed(
  ...args: Parameters<typeof openPromoted>
): Promise<Promoted & { readonly rows: (view: string, more?: string) => Promise<pg.QueryResultRow[]> }> {
  const [definition, options] = args;
  const opened = await openPromoted(definition, { readableViews: true, ...options });
  const { client, schema } = opened;
  onTestFinished(async () => {
    const { rows } = await client.query<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)`, [
      `${schema}:`,
    ]);
    for (const { name } of rows) {
      await client.query(`DROP SCHEMA ${client.escapeIdentifier(name)} CASCADE`);
    }
  });
  return { ...opened, rows: async (view, more = '') => (await client.query(`SELECT * FROM ${view} ${more}`)).rows as pg.QueryResultRow[] };
}

async function collect(records: AsyncIterable<SnapshotRecord>): Promise<SnapshotRecord[]> {
  const all: SnapshotRecord[] = [];
  for await (const record of records) {
    all.push(record);
  }
  return all;
}

describe('readable views', () => {
  test('show living documents with id, partition key, time, etag, body and promoted columns; nobody writes through them', async () => {
    const { backend, store, schema, client, rows } = await openViewed({ defaultTtl: -1 });
    const view = `"${schema}:d"."c"`;
    const { etag, ts } = await store.create({ id: 'a', pk: 'p', email: 'a@x' });
    await store.create({ id: 'gone', pk: 'p', ttl: 1 });
    await client.query(`UPDATE ${await tableFrom(client, schema)} SET expires_at = 1 WHERE id = 'gone'`);
    expect(await rows(view)).toEqual([
      { id: 'a', partition_key: 'p', _ts: String(ts), _etag: etag, body: { id: 'a', pk: 'p', email: 'a@x' } },
    ]);
    await backend.promoteColumns('d', 'c', [{ path: '/email', type: 'text', unique: true }]);
    expect(await rows(view, 'ORDER BY id')).toMatchObject([{ id: 'a', email: 'a@x', _etag: etag }]);
    // With other rights: whoever may read the view need not know the schemas of the store.
    const reader = `reader_${schema.slice(-20)}`;
    await client.query(`CREATE ROLE ${reader}`);
    onTestFinished(async () => {
      await client.query(`RESET ROLE`);
      await client.query(`DROP OWNED BY ${reader}`);
      await client.query(`DROP ROLE ${reader}`);
    });
    await client.query(`GRANT USAGE ON SCHEMA "${schema}:d" TO ${reader}`);
    await client.query(`GRANT SELECT ON ${view} TO ${reader}`);
    await client.query(`SET ROLE ${reader}`);
    expect(await rows(view)).toMatchObject([{ id: 'a', partition_key: 'p', email: 'a@x', _etag: etag }]);
    await client.query('RESET ROLE');
    for (const write of [`INSERT INTO ${view} (id) VALUES ('x')`, `UPDATE ${view} SET id = 'x'`, `DELETE FROM ${view}`]) {
      expect(await refused(client.query(write))).toMatchObject({ code: '55000' });
    }
    // A view of somebody else keeps its column, and a grant outlives the next column.
    await backend.promoteColumns('d', 'c', [{ path: '/n', type: 'integer' }]);
    await client.query(`SET ROLE ${reader}`);
    expect(await rows(view)).toMatchObject([{ email: 'a@x', n: null }]);
    await client.query('RESET ROLE');
    await client.query(`CREATE VIEW "${schema}:d".mine AS SELECT email FROM ${view}`);
    expect(await refused(backend.dropColumns('d', 'c', ['email']))).toMatchObject({ code: 'CONFLICT' });
    await client.query(`DROP VIEW "${schema}:d".mine`);
    await backend.dropColumns('d', 'c', ['email']);
    expect(Object.keys((await rows(view))[0] ?? {})).toEqual(['id', 'partition_key', '_ts', '_etag', 'body', 'n']);
  });

  test('have names of their own whatever the ids are, and go with their containers, also by servers that know nothing of them', async () => {
    const { backend, client, schema, another } = await openViewed();
    const plain = await another({ readableViews: false });
    const ids = [
      'notes',
      `"; DROP SCHEMA public CASCADE; --`,
      `'`,
      '$$',
      'a\u0000b',
      'é'.repeat(100),
      `${'é'.repeat(100)}x`,
      '__proto__',
      'x'.repeat(63),
      'X'.repeat(64),
    ];
    const views = async (): Promise<string[]> =>
      (
        await client.query<{ name: string }>(
          `SELECT n.nspname || ' ' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE starts_with(n.nspname, $1)`,
          [`${schema}:`],
        )
      ).rows.map(({ name }) => name);
    for (const id of ids) {
      await backend.createDatabase(`${id}.`);
      await backend.createContainer(`${id}.`, { id, partitionKey: ['/a', '/b'] });
      await backend.createContainer(`${id}.`, { id: `${id}!`, partitionKey: '/pk' });
    }
    const made = await views();
    expect(new Set(made).size).toBe(made.length);
    expect(made).toHaveLength(2 * ids.length + 1);
    expect(made).toContain(`${schema}:notes. notes`);
    // Cut names end in a digest; one that looks so gets one too.
    const [cut] = made.filter((name) => name.includes('éx') || /é~[0-9a-f]{16}$/u.test(name));
    expect(cut).toBeDefined();
    const twin = cut?.split(' ').at(-1) as string;
    await backend.createContainer('notes.', { id: twin, partitionKey: '/pk' });
    const deep = await backend.container('notes.', 'notes');
    await deep.create({ id: '1', a: 'x', b: 2, odd: 'a\u0000b' });
    expect((await client.query(`SELECT partition_key, body FROM "${schema}:notes."."notes"`)).rows).toEqual([
      { partition_key: ['x', 2], body: null },
    ]);
    await plain.deleteContainer('notes.', 'notes');
    await plain.createContainer('notes.', { id: 'notes', partitionKey: '/pk' });
    for (const id of ids.slice(1)) {
      await (id === '$$' ? backend : plain).deleteDatabase(`${id}.`);
    }
    const again = await another();
    const left = (await views()).toSorted();
    expect(left.slice(0, 3)).toEqual([`${schema}:d c`, `${schema}:notes. notes`, `${schema}:notes. notes!`]);
    expect(left.slice(3)).toEqual([expect.stringMatching(/ é+~[0-9a-f]{16}$/u)]);
    expect(left[3]?.endsWith(twin)).toBe(false);
    await again.deleteDatabase('notes.');
    const { rows } = await client.query(`SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)`, [`${schema}:`]);
    expect(rows).toEqual([{ nspname: `${schema}:d` }]);
  });

  test('columns and views are there again after a restore in place, with the etags that there were', async () => {
    const { backend, store, client, schema, rows } = await openViewed({ defaultTtl: -1 });
    await backend.promoteColumns('d', 'c', [{ path: '/email', type: 'text', unique: true, notNull: true }]);
    const { etag } = await store.create({ id: 'a', pk: 'p', email: 'a@x' });
    const records = await collect(backend.snapshot());
    await store.create({ id: 'b', pk: 'p', email: 'b@x' });
    await backend.restore(records, { replace: true });
    const restored = await backend.container('d', 'c');
    expect(await backend.listColumns('d', 'c')).toMatchObject([{ name: 'email', unique: true, notNull: true, isReady: true }]);
    expect((await refused(restored.create({ id: 'c', pk: 'q', email: 'a@x' }))).code).toBe('CONFLICT');
    expect((await refused(restored.create({ id: 'c', pk: 'q' }))).code).toBe('INVALID_DOCUMENT');
    const { etag: later } = await restored.create({ id: 'b', pk: 'p', email: 'new@x' });
    expect(await rows(`"${schema}:d"."c"`, 'ORDER BY id')).toMatchObject([
      { id: 'a', email: 'a@x', _etag: etag },
      { id: 'b', email: 'new@x', _etag: later },
    ]);
    // One whose documents do not fit what there is now is refused, and nothing changes.
    await backend.dropColumns('d', 'c', ['email']);
    await restored.create({ id: 'd', pk: 'p', email: 5 });
    const unfit = await collect(backend.snapshot());
    await restored.delete('d', 'p');
    await backend.promoteColumns('d', 'c', [{ path: '/email', type: 'text' }]);
    expect(await refused(backend.restore(unfit, { replace: true }))).toMatchObject({
      code: 'INVALID_DOCUMENT',
      details: { path: '/email', documents: 1 },
    });
    expect(await rows(`"${schema}:d"."c"`)).toHaveLength(2);
    expect(await client.query('SELECT 1')).toBeDefined();
  });
});

async function tableFrom(client: pg.Client, schema: string): Promise<string> {
  const { rows } = await client.query<{ number: string; database: string }>(
    `SELECT number, database FROM ${schema}.containers WHERE id = 'c'`,
  );
  return `${schema}_${rows[0]?.database}.c${rows[0]?.number}`;
}
