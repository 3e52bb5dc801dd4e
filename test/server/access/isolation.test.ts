import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKENDS } from './shop.ts';
import {
  openTenantAccount,
  TENANCIES,
  type Seen,
  type Tenancy,
  type Tenant,
  type TenantAccount,
  type TenantContainer,
  type TenantRequest,
} from './two-tenants.ts';

/*
 * Two tenants send random requests to one container, each under a token for its own key. Beside it stand two containers that are used by one of
 * them each, in the same way. What a tenant is answered must be the same with the other there and without: then nothing of the other is returned,
 * counted, charged, changed or to be guessed from a status.
 *
 * The log of a container is one for all its keys, as in the service; so resource ids, etags, sessions and continuations count the writes of all.
 * They are left out of the comparison, and looked through for anything that a tenant wrote.
 */

const IDS = ['1', '2', '3'];
const QUERIES = [
  'SELECT * FROM c',
  'SELECT VALUE COUNT(1) FROM c',
  'SELECT VALUE SUM(c.n) FROM c',
  'SELECT VALUE c.id FROM c ORDER BY c.n DESC',
  'SELECT DISTINCT VALUE c.n FROM c',
  'SELECT c.n, COUNT(1) AS count FROM c GROUP BY c.n',
  "SELECT * FROM c WHERE c.k = 'ada' OR c.k = 'bob'",
  "SELECT VALUE EXISTS(SELECT VALUE d FROM d IN c.list WHERE d = 1) FROM c WHERE c.k != 'ada'",
  'SELECT TOP 1 * FROM c ORDER BY c._ts DESC',
  'SELECT VALUE c._rid > "" FROM c OFFSET 0 LIMIT 2',
];

/** What stands for a partition key in a header, by both tenants: the keys of both, and what might be taken for one. */
const STRANGE_KEYS = [
  '["ada"]',
  '["bob"]',
  '["x","ada"]',
  '["x","bob"]',
  '["ada","x"]',
  '["bob","x"]',
  '["x"]',
  '[]',
  '[{}]',
  '[null]',
  '[{},{}]',
  '["ada",{}]',
  '["bob",{}]',
  '["ada","bob"]',
  '["ada","bob","x"]',
  '["ADA"]',
  '[ "ad\\u0061" ]',
  '["ada "]',
  '["ada"],["bob"]',
  '"ada"',
  '{"0":"bob"}',
  '[["bob"]]',
  '[1.0]',
  '[-0]',
  '[true]',
  '[1e999]',
  '["ada\\u0000"]',
  '["\\ud800"]',
  'null',
  '[',
];

const STRANGE_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'x-ms-start-epk': '00', 'x-ms-end-epk': 'FF' },
  { 'x-ms-start-epk': '' },
  { 'x-ms-documentdb-partitionkeyrangeid': '0' },
  { 'x-ms-documentdb-partitionkeyrangeid': '' },
  { 'x-ms-documentdb-query-enablecrosspartition': 'True' },
  { 'x-ms-read-key-type': 'EffectivePartitionKeyRange' },
  { 'x-ms-documentdb-pre-trigger-include': 'spy' },
  { 'x-ms-documentdb-post-trigger-include': 'spy' },
  { 'x-ms-cosmos-is-query-plan-request': 'True' },
  { 'x-ms-cosmos-is-batch-request': 'True' },
  { 'x-ms-continuation': 'end.0' },
  { 'a-im': 'Full-Fidelity Feed' },
  { 'x-ms-documentdb-populatequerymetrics': 'true' },
  { 'if-none-match': '*' },
  { 'if-match': '*' },
  { 'x-ms-session-token': '0:-1#1' },
];

const LINKS = [
  '/dbs/app/colls/{container}',
  '/dbs/app/colls/{container}',
  '//dbs/%61pp/colls/{container}',
  '/dbs/app/colls/{rid}',
  '/dbs/APP/colls/{container}',
];

/** A request in the words of this test; numbers choose from what the tenant has. */
interface Step {
  readonly tenant: Tenant;
  readonly type:
    | 'create'
    | 'upsert'
    | 'read'
    | 'replace'
    | 'patch'
    | 'delete'
    | 'query'
    | 'changes'
    | 'batch'
    | 'list'
    | 'bulk'
    | 'clear'
    | 'ranges';
  readonly id: string;
  /** Which of the tenant's keys the request names, or a strange one. */
  readonly key: { readonly own: number } | { readonly strange: string } | 'none';
  /** Whose key is in the document. */
  readonly bodyOf: Tenant;
  readonly n: number;
  readonly query: string;
  readonly link: string;
  readonly more: Readonly<Record<string, string>>;
}

const often = <T>(usual: fc.Arbitrary<T>, strange: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: usual, weight: 6 }, { arbitrary: strange, weight: 1 });

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record<Step>({
    tenant: fc.constantFrom('ada', 'bob'),
    type: often(
      fc.constantFrom('create', 'upsert', 'read', 'replace', 'patch', 'delete', 'query', 'changes', 'batch'),
      fc.constantFrom('list', 'bulk', 'clear', 'ranges'),
    ),
    id: fc.constantFrom(...IDS),
    key: often<Step['key']>(
      fc.nat(1).map((own) => ({ own })),
      fc.oneof(
        fc.constantFrom(...STRANGE_KEYS).map((strange) => ({ strange })),
        fc.constant('none' as const),
      ),
    ),
    bodyOf: often(fc.constant<Tenant | 'self'>('self'), fc.constantFrom<Tenant>('ada', 'bob')) as fc.Arbitrary<Tenant>,
    n: fc.nat(3),
    query: fc.constantFrom(...QUERIES),
    link: often(fc.constant('/dbs/app/colls/{container}'), fc.constantFrom(...LINKS)),
    more: often<Readonly<Record<string, string>>>(fc.constant({}), fc.constantFrom(...STRANGE_HEADERS)),
  }),
  { minLength: 20, maxLength: 40 },
);

const secretOf = (tenant: Tenant): string => `secret-of-${tenant}`;

function requestOf(step: Step, tenancy: Tenancy): TenantRequest {
  const { tenant, type, id, n } = step;
  const keys = tenancy.keys(tenant);
  const own = keys[(typeof step.key === 'object' && 'own' in step.key ? step.key.own : 0) % keys.length] as (typeof keys)[number];
  const key = step.key === 'none' ? undefined : 'own' in step.key ? own.header : step.key.strange;
  const bodyOf = (step.bodyOf as string) === 'self' ? tenant : step.bodyOf;
  const members = bodyOf === tenant ? own.members : tenancy.keys(bodyOf)[0]?.members;
  const document = { id, ...members, n, u: n, list: [1, n], text: secretOf(tenant) };
  const feed = `${step.link}/docs`;
  const one = `${feed}/${id}`;
  const request = (method: string, path: string, headers: Record<string, string>, body?: unknown): TenantRequest => ({
    method,
    path,
    headers: { ...(key === undefined ? {} : { 'x-ms-documentdb-partitionkey': key }), ...headers, ...step.more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const operations = [
    { operationType: 'Upsert', resourceBody: document, partitionKey: own.header },
    { operationType: 'Read', id, partitionKey: key },
    { operationType: 'Patch', id, resourceBody: { operations: [{ op: 'incr', path: '/n', value: 1 }] } },
    { operationType: n === 0 ? 'Delete' : 'Read', id },
  ];
  const size = { 'x-ms-max-item-count': String(n === 0 ? -1 : n) };
  switch (type) {
    case 'create':
      return request('POST', feed, {}, document);
    case 'upsert':
      return request('POST', feed, { 'x-ms-documentdb-is-upsert': 'true' }, document);
    case 'read':
      return request('GET', one, {});
    case 'replace':
      return request('PUT', one, {}, document);
    case 'patch':
      return request('PATCH', one, {}, [{ op: 'incr', path: '/n', value: n }]);
    case 'delete':
      return request('DELETE', one, {});
    case 'query':
      return request('POST', feed, { 'x-ms-documentdb-isquery': 'true', ...size }, { query: step.query });
    case 'changes':
      return request('GET', feed, { 'a-im': 'Incremental Feed', ...size });
    case 'batch':
      return request('POST', feed, { 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-cosmos-batch-atomic': 'true' }, operations);
    case 'bulk':
      return request('POST', feed, { 'x-ms-cosmos-is-batch-request': 'true' }, operations);
    case 'list':
      return request('GET', feed, {});
    case 'clear':
      return request('POST', `${step.link}/operations/partitionkeydelete`, {});
    default:
      return request('GET', `${step.link}/pkranges`, {});
  }
}

/** Headers whose value counts the writes of everybody, or tells nothing of documents. */
const OPAQUE = new Set(['etag', 'x-ms-session-token', 'lsn', 'x-ms-item-lsn', 'x-ms-continuation']);
const UNRELATED = new Set([
  'date',
  'x-ms-activity-id',
  'x-ms-content-path',
  'x-ms-alt-content-path',
  'keep-alive',
  'connection',
  'content-length',
]);
const STAMPS = /"(?:_rid|_self|_etag|eTag|_ts|_lsn|ridPrefix)":(?:"(?:[^"\\]|\\.)*"|\d+)/gu;

/** An answer without what counts the writes of all. */
function comparable({ status, headers, text }: Seen): object {
  const shown = Object.entries(headers)
    .filter(([name]) => !UNRELATED.has(name))
    .map(([name, value]) => [
      name,
      OPAQUE.has(name) ? 'opaque' : name.endsWith('query-metrics') ? value.replaceAll(/[^;]*(?:InMs|Size)=[^;]*/gu, '') : value,
    ]);
  return { status, headers: Object.fromEntries(shown), text: text.replaceAll(STAMPS, '') };
}

/** Everything in an answer, also what is encoded. */
function everything({ headers, text }: Seen): string {
  const values = Object.values(headers);
  const decoded = values.map((value) => Buffer.from(value.replaceAll('%', ''), 'base64').toString('latin1'));
  return [text, ...values, ...decoded].join('\n');
}

async function run(account: TenantAccount, tenancy: Tenancy, script: readonly Step[]): Promise<void> {
  const shared = await account.container(tenancy);
  const alone: Readonly<Record<Tenant, TenantContainer>> = { ada: await account.container(tenancy), bob: await account.container(tenancy) };
  for (const step of script) {
    const request = requestOf(step, tenancy);
    const [seen, expected] = [await shared.send(step.tenant, request), await alone[step.tenant].send(step.tenant, request)];
    expect(comparable(seen), JSON.stringify(request)).toEqual(comparable(expected));
    expect(seen.status).toBeLessThan(500);
    expect(everything(seen)).not.toContain(secretOf(step.tenant === 'ada' ? 'bob' : 'ada'));
  }
  const bare = (documents: readonly Readonly<Record<string, unknown>>[]): string[] =>
    documents.map((document) => JSON.stringify(document).replaceAll(STAMPS, '')).toSorted();
  const together = [...(await alone.ada.documents()), ...(await alone.bob.documents())];
  expect(bare(await shared.documents())).toEqual(bare(together));
}

describe.each(BACKENDS)('two tenants in one container on %s', (name) => {
  let account: TenantAccount;
  beforeAll(async () => {
    account = await openTenantAccount(name);
  });
  afterAll(() => account.close());

  test.each(TENANCIES.map((tenancy) => [tenancy.name, tenancy] as const))('do not notice each other: %s', async (_name, tenancy) => {
    await fc.assert(
      fc.asyncProperty(steps, (script) => run(account, tenancy, script)),
      { seed: 4, numRuns: 5 },
    );
  });
});
