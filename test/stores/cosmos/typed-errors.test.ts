import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/error-codes.ts';
import type { CosmosBackend, CosmosDocumentStore } from '../../../src/stores/cosmos/index.ts';
import { serviceError, startFaultServer, type Fault, type FaultServer } from './fault-server.ts';
import { BACKEND_CALLS, failureOf, openFaulty, STORE_CALLS } from './helpers.ts';

const HTML = '<!doctype html><html><body>Sign in to the network</body></html>';
const html = (status: number): Fault => ({ status, headers: { 'content-type': 'text/html' }, body: HTML });

const REFUSALS: readonly (readonly [name: string, fault: Fault, code: ErrorCode])[] = [
  ['401', serviceError(401), 'UNAUTHORIZED'],
  ['403', serviceError(403), 'FORBIDDEN'],
  ['403/5', serviceError(403, 5), 'TOKEN_EXPIRED'],
  ['403/3, written elsewhere', serviceError(403, 3), 'UNAVAILABLE'],
  ['404/1002', serviceError(404, 1002), 'SESSION_NOT_AVAILABLE'],
  ['408', serviceError(408), 'TIMEOUT'],
  ['413', serviceError(413), 'TOO_LARGE'],
  ['429', serviceError(429, 3200, { 'x-ms-retry-after-ms': '25' }), 'THROTTLED'],
  ['449', serviceError(449), 'RETRY_WITH'],
  ['500', serviceError(500), 'UNAVAILABLE'],
  ['503', serviceError(503), 'UNAVAILABLE'],
  ['503 of a load balancer', html(503), 'UNAVAILABLE'],
  ['401 with an empty body', { status: 401 }, 'BAD_RESPONSE'],
  ['403 with an empty body', { status: 403 }, 'BAD_RESPONSE'],
  ['404 with an empty body', { status: 404 }, 'BAD_RESPONSE'],
  ['403 with HTML', html(403), 'BAD_RESPONSE'],
  ['404 with HTML', html(404), 'BAD_RESPONSE'],
  ['404 of another service', { status: 404, body: '{"error":"no such page"}' }, 'BAD_RESPONSE'],
  ['404 of a gateway that names the error as the service does', { status: 404, body: '{"message":"no route"}' }, 'BAD_RESPONSE'],
  ['409 with a body of no kind', { status: 409, body: 'null' }, 'BAD_RESPONSE'],
  ['511', html(511), 'BAD_RESPONSE'],
  ['200 with HTML', html(200), 'BAD_RESPONSE'],
  ['200 with an empty body', { status: 200 }, 'BAD_RESPONSE'],
  ['200 with an empty object', { status: 200, body: '{}' }, 'BAD_RESPONSE'],
  ['200 with half of an object', { status: 200, body: '{"id":"1","own' }, 'BAD_RESPONSE'],
  ['204 of another service', { status: 204 }, 'BAD_RESPONSE'],
  ['a redirection', { status: 302, headers: { location: 'http://login.invalid/' }, body: HTML }, 'BAD_RESPONSE'],
  ['something that is not HTTP', { raw: 'SSH-2.0-OpenSSH_9.6\r\n' }, 'BAD_RESPONSE'],
  [
    'a body cut in the middle',
    { status: 200, body: JSON.stringify({ id: '1', Documents: [], text: 'x'.repeat(1000) }), cut: 'middle' },
    'CONNECTION_LOST',
  ],
  ['a refusal cut in the middle', { ...serviceError(409), cut: 'middle' }, 'CONNECTION_LOST'],
  ['a connection that ends without an answer', { cut: 'before' }, 'CONNECTION_LOST'],
];

/** Refusals that a call on data raises and that mean something else, or nothing, on databases and containers. */
const DATA_REFUSALS: readonly (readonly [name: string, fault: Fault, code: ErrorCode])[] = [
  ['409', serviceError(409), 'CONFLICT'],
  ['410', serviceError(410, 1002), 'GONE'],
  ['412', serviceError(412), 'PRECONDITION_FAILED'],
];

let server: FaultServer;
let backend: CosmosBackend;
let store: CosmosDocumentStore;

beforeAll(async () => {
  server = await startFaultServer();
  ({ backend, store } = await openFaulty(server.url));
});

afterAll(async () => {
  await backend.close();
  await server.close();
});

describe.each([...REFUSALS, ...DATA_REFUSALS])('%s arrives typed', (_name, fault, code) => {
  test.each(Object.entries(STORE_CALLS))('from %s', async (_call, call) => {
    server.answer(fault);
    const error = await failureOf(call(store));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining('the container "todos"')]);
    expect(Object.keys(error)).not.toContain('diagnostics');
    expect(error.message).not.toContain(HTML.slice(20, 40));
  });
});

describe.each(REFUSALS)('%s arrives typed', (_name, fault, code) => {
  test.each(Object.entries(BACKEND_CALLS))('from %s', async (_call, call) => {
    server.answer(fault);
    expect((await failureOf(call(backend))).code).toBe(code);
  });
});

describe('what an error tells', () => {
  test('status, sub-status, activity id and the delay that the service asks for, from batch as well', async () => {
    server.answer(serviceError(429, 3200, { 'x-ms-retry-after-ms': '25' }));
    for (const name of ['batch', 'read', 'query of the container']) {
      const error = await failureOf(STORE_CALLS[name]?.(store) as Promise<unknown>);
      expect([error.status, error.subStatus, error.retryAfterMs]).toEqual([429, 3200, 25]);
      expect(error.details).toMatchObject({ activityId: '11111111-2222-4333-8444-555555555555' });
    }
  });

  test('the position in the text of a query that does not parse', async () => {
    const errors = [
      { severity: 'Error', location: { start: 7, end: 11 }, code: 'SC1001', message: "Syntax error, incorrect syntax near 'FORM'." },
    ];
    server.answer({
      ...serviceError(400),
      body: JSON.stringify({ code: 'BadRequest', message: `Message: ${JSON.stringify({ errors })}\r\nActivityId: 1` }),
    });
    const error = await failureOf(store.query('SELECT FORM c').toArray());
    expect(error.code).toBe('QUERY_SYNTAX');
    expect(error.details['errors']).toEqual(errors);
  });

  test('a 400 means what its call and its sub-status make of it', async () => {
    server.answer(serviceError(400));
    expect((await failureOf(store.patch('1', 'ada', [{ op: 'remove', path: '/n' }]))).code).toBe('INVALID_PATCH');
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('BAD_REQUEST');
    expect((await failureOf(store.query('SELECT 1').toArray())).code).toBe('QUERY_INVALID');
    server.answer(serviceError(400, 1001));
    expect((await failureOf(store.create({ id: '1', owner: 'ada' }))).code).toBe('PARTITION_KEY_MISMATCH');
  });

  test('an etag that no header can carry is a bad request, not a crash', async () => {
    server.answer(serviceError(503));
    expect((await failureOf(store.replace({ id: '1', owner: 'ada' }, { ifMatch: '"\u0000"' }))).code).toBe('BAD_REQUEST');
    expect((await failureOf(store.batch('ada', [{ type: 'read', id: '1' }], { session: '\u0001' }))).code).toBe('BAD_REQUEST');
  });
});

describe('missing and existing', () => {
  test('a missing document is undefined, a missing container is an error', async () => {
    server.answer(serviceError(404));
    expect(await store.read('1', 'ada')).toBeUndefined();
    expect((await store.readMany([{ id: '1', partitionKey: 'ada' }])).documents).toEqual([undefined]);
    expect((await failureOf(store.delete('1', 'ada'))).code).toBe('NOT_FOUND');
    server.answer(serviceError(404, 1003));
    expect((await failureOf(store.read('1', 'ada'))).code).toBe('NOT_FOUND');
  });

  test('databases and containers', async () => {
    server.answer(serviceError(404));
    expect(await backend.readDatabase('app')).toBeUndefined();
    expect(await backend.readContainer('app', 'c')).toBeUndefined();
    expect((await failureOf(backend.deleteDatabase('app'))).code).toBe('NOT_FOUND');
    expect((await failureOf(backend.createContainer('app', { id: 'c', partitionKey: '/p' }))).code).toBe('NOT_FOUND');
    expect((await failureOf(backend.listContainers('app'))).code).toBe('NOT_FOUND');
    server.answer(serviceError(409));
    expect((await failureOf(backend.createDatabase('app'))).code).toBe('CONFLICT');
    expect((await failureOf(backend.createContainer('app', { id: 'c', partitionKey: '/p' }))).code).toBe('CONFLICT');
  });

  test('an unchanged document is NOT_MODIFIED', async () => {
    server.answer({ status: 304, headers: { etag: '"1"', 'x-ms-request-charge': '1' } });
    expect((await failureOf(store.read('1', 'ada', { ifNoneMatch: '"1"' }))).code).toBe('NOT_MODIFIED');
  });
});
