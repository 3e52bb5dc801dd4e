import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKENDS } from './shop.ts';
import {
  openTenantAccount,
  TENANCIES,
  type Seen,
  type Tenancy,
  type TenantAccount,
  type TenantContainer,
  type TenantRequest,
} from './two-tenants.ts';

/* What bob tries who holds a token for his own key, and whatever he found of ada's. */

const KEY = 'x-ms-documentdb-partitionkey';
const LINK = '/dbs/app/colls/{container}';
const tenancy = TENANCIES[1] as Tenancy;

function query(text: string, tenant: 'ada' | 'bob', headers: Record<string, string> = {}): TenantRequest {
  return {
    method: 'POST',
    path: `${LINK}/docs`,
    headers: { [KEY]: `["${tenant}"]`, 'x-ms-documentdb-isquery': 'true', ...headers },
    body: JSON.stringify({ query: text }),
  };
}

const documentsOf = ({ text }: Seen): unknown[] => (JSON.parse(text) as { readonly Documents: unknown[] }).Documents;

describe.each(BACKENDS)('a tenant with what is another’s, on %s', (name) => {
  let account: TenantAccount;
  let container: TenantContainer;
  beforeAll(async () => {
    account = await openTenantAccount(name);
    container = await account.container(tenancy);
    for (const tenant of ['ada', 'bob'] as const) {
      for (let n = 1; n <= 3; n += 1) {
        const body = JSON.stringify({ id: String(n), k: tenant, u: n, n, text: `secret-of-${tenant}` });
        const request = { method: 'POST', path: `${LINK}/docs`, headers: { [KEY]: `["${tenant}"]` }, body };
        expect((await container.send(tenant, request)).status).toBe(201);
      }
    }
  });
  afterAll(() => account.close());

  test.each(['SELECT * FROM c', 'SELECT * FROM c ORDER BY c.n', 'SELECT DISTINCT VALUE c.text FROM c', 'SELECT c.n FROM c GROUP BY c.n'])(
    'gets nowhere with the continuation of %s',
    async (text) => {
      const size = { 'x-ms-max-item-count': '1' };
      const first = await container.send('ada', query(text, 'ada', size));
      const token = first.headers['x-ms-continuation'];
      if (token === undefined) {
        expect(documentsOf(first)).toHaveLength(1);
        return;
      }
      const stolen = await container.send('bob', query(text, 'bob', { ...size, 'x-ms-continuation': token }));
      expect(stolen.status).toBe(400);
      expect(stolen.text).toContain('Invalid Continuation Token');
      const wrapped = await container.send('bob', query(text, 'bob', { ...size, 'x-ms-continuation': `%5B00-FF%5D${token}` }));
      expect(wrapped.status).toBe(400);
      const asAda = await container.send('bob', query(text, 'ada', { ...size, 'x-ms-continuation': token }));
      expect(asAda.status).toBe(403);
    },
  );

  test('gets nowhere with the place of another in the feed', async () => {
    const feed = (tenant: 'ada' | 'bob', more: Record<string, string>): TenantRequest => ({
      method: 'GET',
      path: `${LINK}/docs`,
      headers: { [KEY]: `["${tenant}"]`, 'a-im': 'Incremental Feed', ...more },
    });
    const { headers } = await container.send('ada', feed('ada', { 'x-ms-max-item-count': '1' }));
    const etag = headers['etag'] as string;
    const stolen = await container.send('bob', feed('bob', { 'if-none-match': etag }));
    expect(stolen.status).toBe(400);
    expect(stolen.text).not.toContain('secret-of-ada');
    expect((await container.send('bob', feed('ada', { 'if-none-match': etag }))).status).toBe(403);
    expect((await container.send('bob', feed('bob', { 'x-ms-documentdb-partitionkeyrangeid': '0' }))).status).toBe(403);
    expect((await container.send('bob', feed('bob', { 'x-ms-start-epk': '00', 'x-ms-end-epk': 'FF' }))).status).toBe(403);
  });

  test('does not reach a document of another by its resource id', async () => {
    const [ada] = (await container.documents()).filter(({ k }) => k === 'ada') as { _rid: string; _self: string }[];
    for (const link of [`/${ada?._self}`, `${LINK}/docs/${ada?._rid}`]) {
      for (const method of ['GET', 'DELETE']) {
        const path = link.replace(/\/$/u, '');
        expect((await container.send('bob', { method, path, headers: { [KEY]: '["bob"]' } })).status).toBe(404);
        expect((await container.send('bob', { method, path, headers: { [KEY]: '["ada"]' } })).status).toBe(403);
        expect((await container.send('bob', { method, path, headers: {} })).status).toBe(403);
      }
    }
    const byRid = query(`SELECT * FROM c WHERE c._rid = "${ada?._rid}"`, 'bob');
    expect(documentsOf(await container.send('bob', byRid))).toEqual([]);
  });

  test('finds nothing in the memory of functions, and runs no triggers', async () => {
    const remember = 'function (x) { var before = globalThis.kept; globalThis.kept = x; return before === undefined ? null : before; }';
    await account.owner('POST', `/dbs/app/colls/${container.id}/udfs`, { id: 'remember', body: remember });
    const spy = `function () {
      var context = getContext();
      context.getCollection().queryDocuments(context.getCollection().getSelfLink(), 'SELECT * FROM c', function () {});
    }`;
    await account.owner('POST', `/dbs/app/colls/${container.id}/triggers`, {
      id: 'spy',
      body: spy,
      triggerType: 'Pre',
      triggerOperation: 'All',
    });
    const text = 'SELECT VALUE udf.remember(c.text) FROM c';
    expect(documentsOf(await container.send('ada', query(text, 'ada')))).toEqual([null, 'secret-of-ada', 'secret-of-ada']);
    expect(documentsOf(await container.send('bob', query(text, 'bob')))).toEqual([null, 'secret-of-bob', 'secret-of-bob']);
    for (const time of ['pre', 'post']) {
      const headers = { [KEY]: '["bob"]', [`x-ms-documentdb-${time}-trigger-include`]: 'spy' };
      const body = JSON.stringify({ id: 'new', k: 'bob', u: 9 });
      expect((await container.send('bob', { method: 'POST', path: `${LINK}/docs`, headers, body })).status).toBe(403);
    }
    const everywhere = await container.send('bob', { method: 'GET', path: `${LINK}/udfs`, headers: { [KEY]: '["bob"]' } });
    expect(everywhere.status).toBe(403);
  });

  test('cannot bring a document under another key, by a body, a patch or a batch', async () => {
    const own = { [KEY]: '["bob"]' };
    const document = { id: '1', k: 'ada', text: 'planted' };
    const requests: TenantRequest[] = [
      { method: 'POST', path: `${LINK}/docs`, headers: own, body: JSON.stringify(document) },
      { method: 'POST', path: `${LINK}/docs`, headers: { ...own, 'x-ms-documentdb-is-upsert': 'true' }, body: JSON.stringify(document) },
      { method: 'PUT', path: `${LINK}/docs/1`, headers: own, body: JSON.stringify(document) },
      { method: 'PUT', path: `${LINK}/docs/1`, headers: own, body: '{"id":"1","k":"bob","k":"ada"}' },
      { method: 'PATCH', path: `${LINK}/docs/1`, headers: own, body: '[{"op":"set","path":"/k","value":"ada"}]' },
      {
        method: 'POST',
        path: `${LINK}/docs`,
        headers: { ...own, 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-cosmos-batch-atomic': 'true' },
        body: JSON.stringify([{ operationType: 'Upsert', resourceBody: document, partitionKey: '["bob"]' }]),
      },
    ];
    const before = await container.documents();
    for (const request of requests) {
      const { status, text } = await container.send('bob', request);
      expect([request.method, status]).toEqual([request.method, 400]);
      expect(text).not.toContain('secret-of-ada');
    }
    expect(await container.documents()).toEqual(before);
  });

  test('sees neither the whole of the container in a plan, nor in its definition', async () => {
    const plan = await container.send('bob', query('SELECT VALUE COUNT(1) FROM c', 'bob', { 'x-ms-cosmos-is-query-plan-request': 'true' }));
    expect(plan.status).toBe(200);
    const definition = await container.send('bob', { method: 'GET', path: LINK, headers: { 'x-ms-documentdb-populatequotainfo': 'true' } });
    expect(definition.headers['x-ms-resource-quota']).not.toMatch(/documentsCount=[1-9]/u);
    for (const { text } of [plan, definition]) {
      expect(text).not.toMatch(/secret|ada/u);
    }
  });
});
