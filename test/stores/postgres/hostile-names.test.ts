import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { openPostgresBackend, type PostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import { postgresForTests } from '../../support/postgres.ts';

/** What statements are altered by where somebody writes texts into them. */
const HOSTILE = [
  `'`,
  `''`,
  `"`,
  '\\',
  `\\'`,
  `'; DROP SCHEMA public CASCADE; --`,
  `"; DROP TABLE c1; --`,
  `') ON CONFLICT DO NOTHING; --`,
  `$1`,
  `$$; SELECT pg_sleep(10); $$`,
  '?',
  '??::jsonb',
  ':name',
  '%s %I %L',
  '{a,b}',
  '{"a":1}',
  'NULL',
  '-- comment',
  '/* comment',
  `E'\\x41'`,
  'a\nb\r\tc',
  '\u0000',
  'a\u0000b\u0001c\u0001\u0001',
  '\u2028',
  '\uFEFF',
  '😀',
  '__proto__',
  'constructor',
  'ſ',
  'x'.repeat(240),
] as const;

/** Ids of documents and resources hold none of these. */
const asId = (text: string): string => `i${HOSTILE.indexOf(text as (typeof HOSTILE)[number])}${text.replaceAll(/[/\\#?]/gu, '~')}.`;

let backend: PostgresBackend;
let client: pg.Client;
let schema: string;
let drop: () => Promise<void>;

/** Everything that is in the database besides rows, and how many rows the sentinel has. */
async function shape(): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname LIKE $1 OR n.nspname = 'public' ORDER BY 1`,
    [`${schema}%`],
  );
  return rows.map(({ name }) => name).join('\n');
}

beforeAll(async () => {
  const postgres = await postgresForTests();
  schema = postgres.freshSchema();
  drop = () => postgres.dropSchemas(schema);
  backend = await openPostgresBackend({ connectionString: postgres.url, schema, signals: false });
  client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
});
afterAll(async () => {
  await backend.close();
  await client.end();
  await drop();
});

describe('hostile texts come back as they were, and alter no statement', () => {
  test('as names of databases and containers, which name no object of the server', async () => {
    for (const [index, text] of HOSTILE.entries()) {
      const [database, container] = [asId(text), `c${index}${asId(text)}`];
      await backend.createDatabase(database);
      const info = await backend.createContainer(database, { id: container, partitionKey: '/pk' });
      expect(info.definition.id).toBe(container);
      expect((await backend.listContainers(database)).map(({ definition }) => definition.id)).toEqual([container]);
      expect((await backend.readDatabase(database))?.id).toBe(database);
    }
    const names = (await shape()).split('\n').filter((line) => line.startsWith(schema));
    expect(names.filter((line) => !/^[a-z0-9_]+\.[a-z0-9_]+ [a-zA-Z]$/u.test(line))).toEqual([]);
    await Promise.all(HOSTILE.map((text) => backend.deleteDatabase(asId(text))));
    expect(await backend.listDatabases()).toEqual([]);
  });

  test('as ids, partition keys, property names, values, paths of policies and parameters of queries', async () => {
    await backend.createDatabase('app');
    const paths = HOSTILE.filter((text) => text !== '\u0000').map((text) => ({ path: `/${JSON.stringify(text)}/?` }));
    await backend.createContainer('app', {
      id: 'items',
      partitionKey: '/pk',
      uniqueKeys: [['/u']],
      indexingPolicy: { includedPaths: [{ path: '/*' }, ...paths], excludedPaths: [{ path: '/"_etag"/?' }] },
    });
    const store = await backend.container('app', 'items');
    const before = await shape();
    for (const [index, text] of HOSTILE.entries()) {
      const document = {
        id: asId(text),
        pk: text,
        u: `${text}${index}`,
        n: index,
        within: { [text]: text, list: [text, { [text]: index }] },
      };
      Object.defineProperty(document, text === '__proto__' ? 'own' : text, {
        value: text,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      const { etag } = await store.create(document);
      expect((await store.read(document.id, text))?.document).toMatchObject(JSON.parse(JSON.stringify(document)));
      await store.replace({ ...document, n: index + 0.5 }, { ifMatch: etag });
      await store.patch(document.id, text, [{ op: 'set', path: '/patched', value: text }]);
      const name = JSON.stringify(text);
      const rows = async (query: string): Promise<JsonValue[]> =>
        store.query<JsonValue>({ query, parameters: [{ name: '@p', value: text }] }).toArray();
      const id = [document.id];
      expect(await rows('SELECT VALUE c.id FROM c WHERE c.pk = @p')).toEqual(id);
      expect(await rows(`SELECT VALUE c.id FROM c WHERE c.within[${name}] = @p`)).toEqual(id);
      expect(await rows(`SELECT VALUE c.id FROM c WHERE c.within[${name}] = ${name} AND c.n >= 0 ORDER BY c.within[${name}]`)).toEqual(id);
      expect(await rows(`SELECT VALUE c.id FROM c WHERE STARTSWITH(c.patched, @p) AND c.pk = @p`)).toEqual(id);
      expect(
        await rows(`SELECT VALUE c.id FROM c JOIN x IN c.within.list WHERE x[${name}] = c.n - 0.5 AND ARRAY_CONTAINS(c.within.list, @p)`),
      ).toEqual(id);
      expect(await rows(`SELECT VALUE COUNT(1) FROM c WHERE c.patched = @p`)).toEqual([1]);
      expect((await store.changes({ partitionKey: text }).nextPage()).changes.map((change) => change.document.id)).toEqual(id);
    }
    expect(await shape()).toBe(before);
    await Promise.all(HOSTILE.map((text) => store.delete(asId(text), text)));
    expect(await store.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([0]);
  });

  test('as the schema of a store they are refused, and nothing of a connection string is repeated', async () => {
    const { url } = await postgresForTests();
    for (const text of HOSTILE.filter((one) => !/^[a-z]{1,40}$/u.test(one))) {
      await expect(openPostgresBackend({ connectionString: url, schema: text })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    const secret = 'postgres://user:s3cret@[';
    const refused = await openPostgresBackend({ connectionString: secret }).catch((error: unknown) => error);
    expect(String(refused)).not.toContain('s3cret');
    expect(refused).toMatchObject({ code: 'INVALID_OPTION' });
  });
});
