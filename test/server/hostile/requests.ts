/** A request before it is written as bytes. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Sent as it is; text as UTF-8. `undefined` for none. */
  readonly body: string | Buffer | undefined;
  /** Statuses that the request gets as it stands, while all the data is there. */
  readonly expected: readonly number[];
  /** Never signed: what it asks for would change the server under everybody's feet. */
  readonly isUnsigned?: boolean;
}

export const DATABASE = 'fuzz';
export const CONTAINER = 'c';
const DOCS = `/dbs/${DATABASE}/colls/${CONTAINER}/docs`;
const TREES = `/dbs/${DATABASE}/colls/trees/docs`;

const KEY = ['x-ms-documentdb-partitionkey', '["a"]'] as const;
const IS_QUERY = ['x-ms-documentdb-isquery', 'true'] as const;
const QUERY_TYPE = ['content-type', 'application/query+json'] as const;
const JSON_TYPE = ['content-type', 'application/json'] as const;
const ACROSS = ['x-ms-documentdb-query-enablecrosspartition', 'true'] as const;

const QUERIES: readonly string[] = [
  'SELECT * FROM c',
  'SELECT c.id, c.n FROM c WHERE c.n > 3 ORDER BY c.n DESC',
  'SELECT VALUE COUNT(1) FROM c',
  'SELECT c.k, SUM(c.n) AS total FROM c GROUP BY c.k',
  "SELECT DISTINCT VALUE t FROM c JOIN t IN c.tags WHERE CONTAINS(t, 'e', true)",
  'SELECT TOP 3 * FROM c WHERE c.k = @k OFFSET 0 LIMIT 2',
  "SELECT * FROM c WHERE c.text LIKE '%o%' AND ARRAY_CONTAINS(c.tags, 'red')",
  "SELECT VALUE { a: c.n ?? 0, b: UPPER(c.text) } FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = 'red')",
];

const request = (
  method: string,
  path: string,
  expected: readonly number[],
  headers: PlainRequest['headers'] = [],
  body?: unknown,
): PlainRequest => ({ method, path, headers, body: body === undefined ? undefined : JSON.stringify(body), expected });

const query = (path: string, text: string, headers: PlainRequest['headers']): PlainRequest =>
  request('POST', path, [200, 400], [IS_QUERY, QUERY_TYPE, ...headers], { query: text, parameters: [{ name: '@k', value: 'a' }] });

const BATCH = [
  { operationType: 'Upsert', resourceBody: { id: 'b1', k: 'a', n: 1 } },
  { operationType: 'Read', id: 'b1' },
  { operationType: 'Patch', id: 'b1', resourceBody: { operations: [{ op: 'incr', path: '/n', value: 1 }] } },
  { operationType: 'Delete', id: 'b1' },
];

const byStranger = (one: PlainRequest): PlainRequest => ({ ...one, isUnsigned: true });

/** About the server itself. */
const ADMIN: readonly PlainRequest[] = [
  request('GET', '/_perigee/info', [200]),
  request('GET', '/_perigee/chaos', [200]),
  request('GET', '/_perigee/clock', [200]),
  byStranger(request('PUT', '/_perigee/chaos', [401], [JSON_TYPE], [{ id: 'all', fault: { status: 503 } }])),
  byStranger(request('DELETE', '/_perigee/chaos', [401])),
  byStranger(request('POST', '/_perigee/clock', [401], [JSON_TYPE], { byMs: 1_000_000 })),
  byStranger(request('POST', '/_perigee/partitions/split', [401], [JSON_TYPE], { database: DATABASE, container: CONTAINER })),
  byStranger(request('GET', '/_perigee/snapshot', [401])),
  byStranger(request('POST', '/_perigee/restore', [401], [JSON_TYPE], { kind: 'perigee-snapshot' })),
];

/** Makes, lists, reads, replaces and deletes a resource. */
function catalogRequests(feed: string, resource: { readonly id: string; readonly [member: string]: unknown }): readonly PlainRequest[] {
  return [
    request('POST', feed, [201, 409], [JSON_TYPE], resource),
    request('GET', feed, [200]),
    request('POST', feed, [200], [IS_QUERY, QUERY_TYPE], { query: 'SELECT * FROM root r WHERE r.id = "made"' }),
    request('GET', `${feed}/${resource.id}`, [200]),
    request('PUT', `${feed}/${resource.id}`, [200], [JSON_TYPE], resource),
    request('DELETE', `${feed}/${resource.id}`, [204, 404]),
  ];
}

/** Requests that a client would send, one or more for each thing that the protocol has. `tokens` are some that the server gave. */
export function plainRequests(tokens: readonly string[]): readonly PlainRequest[] {
  const container = `/dbs/${DATABASE}/colls/${CONTAINER}`;
  const definition = { id: CONTAINER, partitionKey: { paths: ['/k'], kind: 'Hash', version: 2 }, defaultTtl: -1 };
  return [
    request('GET', '/', [200]),
    ...ADMIN,
    request('GET', '/dbs', [200]),
    request('POST', '/dbs', [200], [IS_QUERY, QUERY_TYPE], {
      query: 'SELECT * FROM root r WHERE r.id = @id',
      parameters: [{ name: '@id', value: 'x' }],
    }),
    request('POST', '/dbs', [201, 409], [JSON_TYPE], { id: 'made' }),
    request('GET', `/dbs/${DATABASE}`, [200]),
    request('DELETE', '/dbs/made', [204, 404]),
    request('GET', `/dbs/${DATABASE}/colls`, [200]),
    request('POST', `/dbs/${DATABASE}/colls`, [201, 409], [JSON_TYPE], {
      id: 'made',
      partitionKey: { paths: ['/p'] },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/u'] }] },
    }),
    request('GET', container, [200], [['x-ms-documentdb-populatequotainfo', 'True']]),
    request('PUT', container, [200], [JSON_TYPE], definition),
    request('DELETE', `/dbs/${DATABASE}/colls/made`, [204, 404]),
    request('GET', `${container}/pkranges`, [200]),
    request('GET', `${container}/conflicts`, [200]),
    request('GET', '/offers', [200]),
    request('POST', `/dbs/${DATABASE}/users`, [201, 409], [JSON_TYPE], { id: 'ada' }),
    request('POST', `/dbs/${DATABASE}/clientencryptionkeys`, [201, 400, 409], [JSON_TYPE], {
      id: 'made',
      encryptionAlgorithm: 'AEAD_AES_256_CBC_HMAC_SHA256',
      wrappedDataEncryptionKey: 'AAAA',
      keyWrapMetadata: { type: 'x', name: 'y', value: 'z', algorithm: 'RSA-OAEP' },
    }),
    request('PUT', '/offers/none', [404], [JSON_TYPE], { id: 'none', content: { offerThroughput: 400 } }),
    query('/offers', 'SELECT * FROM root', []),
    request('GET', DOCS, [200], [['x-ms-max-item-count', '5']]),
    request(
      'GET',
      DOCS,
      [200, 304],
      [
        ['a-im', 'Incremental Feed'],
        ['x-ms-max-item-count', '5'],
      ],
    ),
    request('GET', DOCS, [200, 304], [['a-im', 'Incremental Feed'], ['if-none-match', '*'], KEY]),
    ...tokens.map((token) =>
      request(
        'GET',
        DOCS,
        [200, 304, 400],
        [
          ['a-im', 'Incremental Feed'],
          ['if-none-match', token],
        ],
      ),
    ),
    ...tokens.map((token) => query(DOCS, QUERIES[0] as string, [ACROSS, ['x-ms-max-item-count', '2'], ['x-ms-continuation', token]])),
    ...QUERIES.flatMap((text) => [query(DOCS, text, [ACROSS]), query(DOCS, text, [KEY])]),
    query(TREES, 'SELECT * FROM c', [['x-ms-documentdb-partitionkey', '["a"]']]),
    query(TREES, 'SELECT * FROM c', [
      ['x-ms-start-epk', ''],
      ['x-ms-end-epk', 'FF'],
      ['x-ms-documentdb-partitionkeyrangeid', '0'],
    ]),
    request('POST', DOCS, [200, 400], [['x-ms-cosmos-is-query-plan-request', 'True'], QUERY_TYPE], { query: QUERIES[3] }),
    request('POST', DOCS, [201, 409], [KEY, JSON_TYPE], { id: 'made', k: 'a', n: 1, tags: ['new'] }),
    request('POST', DOCS, [200, 201], [KEY, JSON_TYPE, ['x-ms-documentdb-is-upsert', 'True']], {
      id: 'd1',
      k: 'a',
      n: 1,
      text: 'one',
      tags: ['red'],
    }),
    request(
      'POST',
      TREES,
      [200, 201],
      [
        ['x-ms-documentdb-partitionkey', '["a","b",{}]'],
        ['x-ms-documentdb-is-upsert', 'True'],
      ],
      { id: 't', a: 'a', b: 'b' },
    ),
    request('GET', `${DOCS}/d1`, [200], [KEY]),
    request('GET', `${DOCS}/d1`, [200], [KEY, ['x-ms-session-token', '0:-1#1']]),
    request('GET', `${DOCS}/missing`, [404], [KEY]),
    request('PUT', `${DOCS}/d2`, [200], [KEY, JSON_TYPE], { id: 'd2', k: 'a', n: 2, tags: [] }),
    request('PUT', `${DOCS}/d2`, [412], [KEY, ['if-match', '"no"']], { id: 'd2', k: 'a' }),
    request('PATCH', `${DOCS}/d3`, [200], [KEY], { operations: [{ op: 'set', path: '/text', value: 'three' }] }),
    request('PATCH', `${DOCS}/d3`, [200, 412], [KEY], {
      condition: 'from c where c.n = 3',
      operations: [{ op: 'add', path: '/tags/0', value: 'x' }],
    }),
    request('DELETE', `${DOCS}/made`, [204, 404], [KEY]),
    request('POST', DOCS, [200, 207], [KEY, ['x-ms-cosmos-is-batch-request', 'True'], ['x-ms-cosmos-batch-atomic', 'True']], BATCH),
    request(
      'POST',
      DOCS,
      [200, 207],
      [
        ['x-ms-documentdb-partitionkeyrangeid', '0'],
        ['x-ms-cosmos-is-batch-request', 'True'],
        ['x-ms-cosmos-batch-continue-on-error', 'True'],
      ],
      BATCH.map((operation) => ({ ...operation, partitionKey: '["a"]' })),
    ),
    request('POST', `${container}/operations/partitionkeydelete`, [200, 204], [['x-ms-documentdb-partitionkey', '["gone"]']]),
    ...catalogRequests(`${container}/sprocs`, { id: 'made', body: 'function () { getContext().getResponse().setBody(1); }' }),
    ...catalogRequests(`${container}/triggers`, { id: 'made', body: 'function () {}', triggerType: 'Pre', triggerOperation: 'All' }),
    ...catalogRequests(`${container}/udfs`, { id: 'made', body: 'function (a) { return a; }' }),
    ...catalogRequests(`/dbs/${DATABASE}/users`, { id: 'made' }),
    ...catalogRequests(`/dbs/${DATABASE}/users/ada/permissions`, {
      id: 'made',
      permissionMode: 'Read',
      resource: `dbs/${DATABASE}/colls/${CONTAINER}`,
      resourcePartitionKey: ['a'],
    }),
  ];
}
