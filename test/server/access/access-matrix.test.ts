import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROUTES } from '../../../src/server/routes.ts';
import {
  CREDENTIALS,
  openRightsScene,
  REFUSED,
  type Credential,
  type Refused,
  type RightsScene,
  type SentRequest,
} from './rights-scene.ts';

/*
 * Every route with every kind of credential. Each request names the key `a`, so that a token for it is refused for what it asks and not for
 * what it leaves out, and changes nothing where it is permitted: it creates what is there, or holds an etag that is not.
 */

interface Row {
  readonly request: SentRequest | ((scene: RightsScene) => SentRequest);
  /** What those get who may. */
  readonly status: number;
  readonly permitted: readonly Credential[];
}

const KEYS: readonly Credential[] = ['master', 'readOnly'];
const READERS: readonly Credential[] = [...KEYS, 'contributor', 'reader'];
const WRITERS: readonly Credential[] = ['master', 'contributor', 'containerAll'];
const CONTAINER_READERS: readonly Credential[] = [...READERS, 'containerRead', 'containerAll'];
const SCRIPT_READERS: readonly Credential[] = [...KEYS, 'containerRead', 'containerAll'];
const SCRIPT_WRITERS: readonly Credential[] = ['master', 'containerAll'];
/** Whatever a token is for, clients read its container before anything else. */
const OF_CONTAINER = CREDENTIALS.filter((credential) => credential !== 'otherContainer');

const C = '/dbs/app/colls/c';
const KEY = { 'x-ms-documentdb-partitionkey': '["a"]' };
const STALE = { 'if-match': '"stale"' };
const QUERY = { 'x-ms-documentdb-isquery': 'true', 'content-type': 'application/query+json' };
const BATCH = { 'x-ms-cosmos-is-batch-request': 'true' };
const query = { body: '{"query":"SELECT * FROM c"}' };
const reads = { body: '[{"operationType":"Read","id":"1","partitionKey":"[\\"a\\"]"}]' };

function row(permitted: readonly Credential[], status: number, path: string, more: Partial<SentRequest> = {}): Row {
  return { request: { path, ...more, headers: { ...KEY, ...more.headers } }, status, permitted };
}

interface Kind {
  readonly feed: string;
  readonly id: string;
  readonly body: object;
  readonly readers: readonly Credential[];
  readonly writers: readonly Credential[];
  /** Those who may do so with the one, not with the feed. */
  readonly oneReaders?: readonly Credential[];
  readonly oneWriters?: readonly Credential[];
}

function kindRows(route: string, { feed, id, body, readers, writers, oneReaders = [], oneWriters = [] }: Kind): Record<string, Row> {
  const json = { body: JSON.stringify({ id, ...body }) };
  return {
    [`GET plain ${route}`]: row(readers, 200, feed),
    [`POST plain ${route}`]: row(writers, 409, feed, json),
    [`POST query ${route}`]: row(readers, 200, feed, { headers: QUERY, ...query }),
    [`GET plain ${route}/*`]: row([...readers, ...oneReaders], 200, `${feed}/${id}`),
    [`PUT plain ${route}/*`]: row([...writers, ...oneWriters], 412, `${feed}/${id}`, { headers: STALE, ...json }),
    [`DELETE plain ${route}/*`]: row([...writers, ...oneWriters], 412, `${feed}/${id}`, { headers: STALE }),
  };
}

const COLL = 'dbs/*/colls/*';
const ENCRYPTION_KEY = { encryptionAlgorithm: 'A', keyWrapMetadata: {}, wrappedDataEncryptionKey: 'AA' };
const scripts = { readers: SCRIPT_READERS, writers: SCRIPT_WRITERS };
const oneDocument = { headers: STALE, body: '{"id":"1","k":"a"}' };
const offer =
  (more: Partial<SentRequest>): Row['request'] =>
  ({ offerId }) => ({ path: `/offers/${offerId}`, ...more });

const ROWS: Readonly<Record<string, Row>> = {
  'GET plain ': row(CREDENTIALS, 200, '/'),

  'GET plain dbs': row(READERS, 200, '/dbs'),
  'POST plain dbs': row(['master'], 409, '/dbs', { body: '{"id":"app"}' }),
  'POST query dbs': row(READERS, 200, '/dbs', { headers: QUERY, ...query }),
  'GET plain dbs/*': row(READERS, 200, '/dbs/app'),
  'DELETE plain dbs/*': row(['master'], 412, '/dbs/app', { headers: STALE }),

  'GET plain dbs/*/colls': row(READERS, 200, '/dbs/app/colls'),
  'POST plain dbs/*/colls': row(['master'], 409, '/dbs/app/colls', { body: '{"id":"c","partitionKey":{"paths":["/k"]}}' }),
  'POST query dbs/*/colls': row(READERS, 200, '/dbs/app/colls', { headers: QUERY, ...query }),
  [`GET plain ${COLL}`]: row(OF_CONTAINER, 200, C),
  [`PUT plain ${COLL}`]: row(SCRIPT_WRITERS, 412, C, { headers: STALE, body: '{"id":"c","partitionKey":{"paths":["/k"]}}' }),
  [`DELETE plain ${COLL}`]: row(SCRIPT_WRITERS, 412, C, { headers: STALE }),
  [`GET plain ${COLL}/pkranges`]: row(OF_CONTAINER, 200, `${C}/pkranges`),

  [`GET plain ${COLL}/docs`]: row(CONTAINER_READERS, 200, `${C}/docs`),
  [`GET changes ${COLL}/docs`]: row([...CONTAINER_READERS, 'keyRead', 'keyAll'], 200, `${C}/docs`, {
    headers: { 'a-im': 'Incremental Feed' },
  }),
  [`POST plain ${COLL}/docs`]: row([...WRITERS, 'keyAll'], 409, `${C}/docs`, { body: '{"id":"1","k":"a"}' }),
  [`POST query ${COLL}/docs`]: row([...CONTAINER_READERS, 'keyRead', 'keyAll'], 200, `${C}/docs`, { headers: QUERY, ...query }),
  [`POST plan ${COLL}/docs`]: row(OF_CONTAINER, 200, `${C}/docs`, {
    headers: { ...QUERY, 'x-ms-cosmos-is-query-plan-request': 'True' },
    ...query,
  }),
  [`POST batch ${COLL}/docs`]: row([...WRITERS, 'keyAll'], 200, `${C}/docs`, {
    headers: { ...BATCH, 'x-ms-cosmos-batch-atomic': 'true' },
    ...reads,
  }),
  [`POST bulk ${COLL}/docs`]: row(WRITERS, 200, `${C}/docs`, { headers: { ...BATCH, 'x-ms-cosmos-batch-atomic': 'false' }, ...reads }),
  [`GET plain ${COLL}/docs/*`]: row([...CONTAINER_READERS, 'keyRead', 'keyAll', 'documentRead', 'documentAll'], 200, `${C}/docs/1`),
  [`PUT plain ${COLL}/docs/*`]: row([...WRITERS, 'keyAll', 'documentAll'], 412, `${C}/docs/1`, oneDocument),
  [`PATCH plain ${COLL}/docs/*`]: row([...WRITERS, 'keyAll', 'documentAll'], 412, `${C}/docs/1`, {
    headers: STALE,
    body: '[{"op":"set","path":"/n","value":1}]',
  }),
  [`DELETE plain ${COLL}/docs/*`]: row([...WRITERS, 'keyAll', 'documentAll'], 412, `${C}/docs/1`, { headers: STALE }),
  [`POST plain ${COLL}/operations/*`]: row(WRITERS, 200, `${C}/operations/partitionkeydelete`),

  [`GET plain ${COLL}/conflicts`]: row(CONTAINER_READERS, 200, `${C}/conflicts`),
  [`POST query ${COLL}/conflicts`]: row(CONTAINER_READERS, 200, `${C}/conflicts`, { headers: QUERY, ...query }),
  [`GET plain ${COLL}/conflicts/*`]: row(CONTAINER_READERS, 404, `${C}/conflicts/1`),
  [`DELETE plain ${COLL}/conflicts/*`]: row(WRITERS, 404, `${C}/conflicts/1`),

  ...kindRows(`${COLL}/sprocs`, {
    feed: `${C}/sprocs`,
    id: 'p',
    body: { body: 'function () {}' },
    ...scripts,
    oneReaders: ['procedureRead', 'procedureAll'],
    oneWriters: ['procedureAll'],
  }),
  [`POST plain ${COLL}/sprocs/*`]: row([...WRITERS, 'procedureAll'], 200, `${C}/sprocs/p`, { body: '[]' }),
  ...kindRows(`${COLL}/triggers`, {
    feed: `${C}/triggers`,
    id: 't',
    body: { body: 'function () {}', triggerType: 'Pre', triggerOperation: 'All' },
    ...scripts,
    oneReaders: ['triggerAll'],
    oneWriters: ['triggerAll'],
  }),
  ...kindRows(`${COLL}/udfs`, {
    feed: `${C}/udfs`,
    id: 'f',
    body: { body: 'function () {}' },
    ...scripts,
    oneReaders: ['functionAll'],
    oneWriters: ['functionAll'],
  }),
  ...kindRows('dbs/*/users', { feed: '/dbs/app/users', id: 'u', body: {}, readers: KEYS, writers: ['master'] }),
  ...kindRows('dbs/*/users/*/permissions', {
    feed: '/dbs/app/users/of-keyAll/permissions',
    id: 'keyAll',
    body: { permissionMode: 'All', resource: 'dbs/app/colls/c' },
    readers: ['master'],
    writers: ['master'],
  }),
  ...kindRows('dbs/*/clientencryptionkeys', {
    feed: '/dbs/app/clientencryptionkeys',
    id: 'e',
    body: ENCRYPTION_KEY,
    readers: READERS,
    writers: ['master'],
  }),

  'GET plain offers': row(KEYS, 200, '/offers'),
  'POST query offers': row(KEYS, 200, '/offers', { headers: QUERY, ...query }),
  'GET plain offers/*': { request: offer({}), status: 200, permitted: KEYS },
  'PUT plain offers/*': { request: offer({ headers: STALE, body: '{}' }), status: 412, permitted: ['master'] },
};

const nameOf = ({ method, kind, path }: (typeof ROUTES)[number]): string => `${method} ${kind} ${path}`;

describe('who may do what', () => {
  let scene: RightsScene;
  beforeAll(async () => {
    scene = await openRightsScene();
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    const store = await scene.backend.container('app', 'c');
    await store.upsert({ id: '1', k: 'a' });
    await store.close();
  });

  test('every route has a row, and every row a route', () => {
    expect(Object.keys(ROWS).toSorted()).toEqual(ROUTES.map(nameOf).toSorted());
  });

  test.each(ROUTES.map((route) => [nameOf(route), route.method] as const))('%s', async (name, method) => {
    const { request: given, status, permitted } = ROWS[name] as Row;
    const request = typeof given === 'function' ? given(scene) : given;
    const credentials = [...CREDENTIALS, ...(Object.keys(REFUSED) as Refused[])];
    const statusOf = async (response: Response): Promise<number> => {
      const text = await response.text();
      if (response.status >= 400) {
        expect(JSON.parse(text)).toMatchObject({ code: expect.any(String), message: expect.any(String) });
      }
      return response.status;
    };
    const statuses = await Promise.all(credentials.map(async (credential) => statusOf(await scene.send(method, request, credential))));
    const answers = credentials.map((credential, index) => [credential, statuses[index]]);
    const bearer = await scene.sendBearer(method, request);
    expect({ ...Object.fromEntries(answers), 'bearer where none are accepted': await statusOf(bearer) }).toEqual({
      ...Object.fromEntries(CREDENTIALS.map((credential) => [credential, permitted.includes(credential) ? status : 403])),
      ...REFUSED,
      'bearer where none are accepted': 401,
    });
  });
});
