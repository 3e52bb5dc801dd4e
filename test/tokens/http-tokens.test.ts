import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { httpTokens, type UserTokens } from '../../src/tokens/index.ts';
import { failureOf, openScene, serveHttp } from './scene.ts';

const QUERY = { container: 'todos', partitionKey: ['ada'], mode: 'all' } as const;
const FACTS = { token: 'type=resource&sig=t0ken', container: 'todos', partitionKey: ['ada'], mode: 'all', lifetimeSeconds: 3600 };

/** Tokens from a service that answers as told. */
async function from(answer: (response: ServerResponse) => void, options: { readonly timeoutMs?: number } = {}): Promise<UserTokens> {
  const { url } = await serveHttp((_, response) => answer(response));
  return httpTokens({ url, headers: { authorization: 'Bearer s3cret' }, ...options }).forUser('ada');
}

const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

describe('tokens over HTTP', () => {
  test('are fetched once for a hundred concurrent calls, and open the account', async () => {
    const scene = await openScene();
    const tokens = scene.source().forUser('ada');
    const given = await Promise.all(Array.from({ length: 100 }, () => tokens.getToken(QUERY)));
    expect([new Set(given.map(({ token }) => token)).size, scene.asked()]).toEqual([1, 1]);
    expect(given[0]).toMatchObject({ lifetimeMs: expect.any(Number) as number, expiresAtMs: expect.any(Number) as number });
    const backend = await openCosmosBackend({ endpoint: scene.server.url, tokenProvider: tokens });
    const todos = await backend.container('app', 'todos');
    await todos.create({ id: '1', owner: 'ada' });
    await Promise.all(Array.from({ length: 100 }, () => todos.read('1', 'ada')));
    // One for the container's definition, one to write, one to read.
    expect(scene.asked()).toBe(4);
    expect((await failureOf(todos.read('1', 'bob'))).code).toBe('FORBIDDEN');
    await backend.close();
  });

  test('are shared by all stores of a user, which keep none of their own', async () => {
    const scene = await openScene();
    const source = scene.source();
    const tokens = source.forUser('ada');
    const backends = await Promise.all([0, 1].map(() => openCosmosBackend({ endpoint: scene.server.url, tokenProvider: tokens })));
    const stores = await Promise.all(backends.map((backend) => backend.container('app', 'todos')));
    await Promise.all(stores.map((store) => store.read('1', 'ada')));
    expect(scene.asked()).toBe(2);
    source.forUser('bob');
    for (const store of stores) {
      expect((await failureOf(store.read('1', 'ada'))).code).toBe('UNAUTHORIZED');
    }
    source.forUser('ada');
    expect(await Promise.all(stores.map((store) => store.read('1', 'ada')))).toEqual([undefined, undefined]);
    expect(scene.asked()).toBe(3);
    await Promise.all(backends.map((backend) => backend.close()));
  });

  test('ask with what the call needs, and with a credential that is asked for each time', async () => {
    const bodies: unknown[] = [];
    const { url } = await serveHttp((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) {
          text += String(chunk);
        }
        const body = JSON.parse(text) as object;
        bodies.push([request.method, request.headers.authorization, body]);
        response.end(JSON.stringify({ ...FACTS, ...body, token: `t${bodies.length}` }));
      })();
    });
    let login = 0;
    const tokens = httpTokens({ url, headers: ({ user }) => ({ authorization: `${user} ${(login += 1)}` }) }).forUser('ada');
    await tokens.getToken({ databaseId: 'app', container: 'todos', partitionKey: ['ada', undefined, null], mode: 'read' });
    expect((await tokens.getToken({ container: 'todos' })).token).toBe('t2');
    expect((await tokens.getToken({ container: 'todos', refresh: true })).token).toBe('t3');
    expect((await tokens.getToken({ container: 'todos' })).token).toBe('t3');
    expect(bodies).toEqual([
      ['POST', 'ada 1', { database: 'app', container: 'todos', partitionKey: ['ada', {}, null], mode: 'read' }],
      ['POST', 'ada 2', { container: 'todos', mode: 'read' }],
      ['POST', 'ada 3', { container: 'todos', mode: 'read' }],
    ]);
  });

  test('are renewed by a fraction of the life that the service tells, whatever the clock of the device says', async () => {
    const runtime = new SimulatedRuntime({ startMs: 0 });
    const scene = await openScene({ lifetimeSeconds: 100 });
    const tokens = scene.source({ runtime }).forUser('ada');
    const first = await tokens.getToken(QUERY);
    expect(first).toMatchObject({ lifetimeMs: 100_000, expiresAtMs: 100_000 });
    await runtime.advance(74_999);
    expect((await tokens.getToken(QUERY)).token).toBe(first.token);
    expect(scene.asked()).toBe(1);
    await runtime.advance(1);
    expect((await tokens.getToken(QUERY)).token).toBe(first.token);
    await expect.poll(async () => (await tokens.getToken(QUERY)).token).not.toBe(first.token);
    expect(scene.asked()).toBe(2);
  });
});

describe('what the service answers', () => {
  test.each([
    [401, 'UNAUTHORIZED', 'auth'],
    [403, 'FORBIDDEN', 'auth'],
    [408, 'UNAVAILABLE', 'connection'],
    [500, 'UNAVAILABLE', 'connection'],
    [503, 'UNAVAILABLE', 'connection'],
    [511, 'BAD_RESPONSE', 'connection'],
    // Nothing of these may pass for a document that is missing, or that is refused.
    [400, 'BAD_RESPONSE', 'connection'],
    [404, 'BAD_RESPONSE', 'connection'],
    [409, 'BAD_RESPONSE', 'connection'],
    [412, 'BAD_RESPONSE', 'connection'],
    [413, 'BAD_RESPONSE', 'connection'],
    [302, 'BAD_RESPONSE', 'connection'],
  ])('with %d is %s', async (status, code, category) => {
    const tokens = await from(json({ code: 'NOT_FOUND', message: 's3cret' }, status, { location: 'http://127.0.0.1:9/' }));
    const error = await failureOf(tokens.getToken(QUERY));
    expect([error.code, error.category]).toEqual([code, category]);
    expect(error.message).not.toContain('s3cret');
  });

  test('with 429 is THROTTLED, with the time to wait out of body or header', async () => {
    expect(await failureOf((await from(json({ retryAfterMs: 250 }, 429, { 'retry-after': '9' }))).getToken(QUERY))).toMatchObject({
      code: 'THROTTLED',
      retryAfterMs: 250,
    });
    expect(await failureOf((await from(json('', 429, { 'retry-after': '9' }))).getToken(QUERY))).toMatchObject({
      code: 'THROTTLED',
      retryAfterMs: 9000,
    });
    expect(await failureOf((await from(json('', 429))).getToken(QUERY))).toMatchObject({ code: 'THROTTLED', retryAfterMs: undefined });
  });

  test.each([
    ['an HTML page', '<html>Sign in to the hotel</html>'],
    ['nothing', ''],
    ['a list', []],
    ['no token', { ...FACTS, token: undefined }],
    ['an empty token', { ...FACTS, token: '' }],
    ['a token that splits a header', { ...FACTS, token: 'a\r\nx: y' }],
    ['a token that is too long', { ...FACTS, token: 'x'.repeat(20_000) }],
    ['another container', { ...FACTS, container: 'other' }],
    ["another user's partition key", { ...FACTS, partitionKey: ['bob'] }],
    ['no partition key', { ...FACTS, partitionKey: undefined }],
    ['another mode', { ...FACTS, mode: 'read' }],
    ['no life', { ...FACTS, lifetimeSeconds: undefined }],
    ['a life of nothing', { ...FACTS, lifetimeSeconds: 0 }],
    ['a life for ever', { ...FACTS, lifetimeSeconds: 1e12 }],
    ['more than any answer has', { ...FACTS, padding: 'x'.repeat(100_000) }],
  ])('with %s is BAD_RESPONSE, without a piece of it', async (_, body) => {
    const tokens = await from(json(body));
    const error = await failureOf(tokens.getToken(QUERY));
    expect(error.code).toBe('BAD_RESPONSE');
    expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.toMatch(/t0ken|s3cret|hotel/u);
  });

  test('never ends is cut where it is too long', async () => {
    let closed: (value: unknown) => void = () => undefined;
    const wasClosed = new Promise((resolve) => {
      closed = resolve;
    });
    const tokens = await from((response) => {
      response.on('close', closed);
      response.writeHead(200);
      const more = (): void => void (response.destroyed || response.write('x'.repeat(10_000), more));
      more();
    });
    expect((await failureOf(tokens.getToken(QUERY))).code).toBe('BAD_RESPONSE');
    await wasClosed;
  });

  test('breaks off, or nobody answers, is UNREACHABLE', async () => {
    const cut = await from((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.destroy();
    });
    expect((await failureOf(cut.getToken(QUERY))).code).toBe('UNREACHABLE');
    const nobody = httpTokens({ url: 'http://127.0.0.1:9/' }).forUser('ada');
    expect(await failureOf(nobody.getToken(QUERY))).toMatchObject({ code: 'UNREACHABLE', category: 'connection', retryable: true });
  });

  test('never is TIMEOUT, the credential included', async () => {
    const silent = await from(() => undefined, { timeoutMs: 40 });
    expect((await failureOf(silent.getToken(QUERY))).code).toBe('TIMEOUT');
    const { url } = await serveHttp((_, response) => json(FACTS)(response));
    const stuck = httpTokens({ url, timeoutMs: 40, headers: () => new Promise(() => undefined) }).forUser('ada');
    expect((await failureOf(stuck.getToken(QUERY))).code).toBe('TIMEOUT');
  });
});

describe('a credential', () => {
  test('that cannot be had is told as it is, or as the cause of UNAUTHORIZED', async () => {
    const { url } = await serveHttp((_, response) => json(FACTS)(response));
    const with_ = (headers: () => never): UserTokens => httpTokens({ url, headers }).forUser('ada');
    const cause = new Error('signed out');
    expect(
      await failureOf(
        with_(() => {
          throw cause;
        }).getToken(QUERY),
      ),
    ).toMatchObject({ code: 'UNAUTHORIZED', cause });
    expect(
      (
        await failureOf(
          with_(() => {
            throw new PerigeeError('UNREACHABLE', 'The login cannot be reached.');
          }).getToken(QUERY),
        )
      ).code,
    ).toBe('UNREACHABLE');
  });

  test('that no header can carry is not repeated', async () => {
    const { url } = await serveHttp((_, response) => json(FACTS)(response));
    const error = await failureOf(
      httpTokens({ url, headers: { authorization: 'Bearer s3cret\n' + 'жаба' } })
        .forUser('ada')
        .getToken(QUERY),
    );
    expect(error.code).toBe('UNAUTHORIZED');
    expect(`${error.message} ${String(error.cause)} ${error.stack}`).not.toContain('s3cret');
  });

  test('goes only where nobody can read along', () => {
    for (const url of [
      'http://api.example.com/tokens',
      'ftp://localhost/',
      'https://user:pass@example.com/',
      'tokens',
      '',
      'http://localhost.evil.example.com/',
    ]) {
      expect([url, () => httpTokens({ url })]).toEqual([url, expect.any(Function)]);
      expect(() => httpTokens({ url })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
    }
    for (const url of ['https://api.example.com/tokens', 'http://localhost:8082', 'http://[::1]:8082', new URL('http://127.0.0.1:1')]) {
      expect(httpTokens({ url }).forUser('ada').user).toBe('ada');
    }
    for (const options of [{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { refreshAtFraction: 1 }]) {
      expect(() => httpTokens({ url: 'https://x.example.com', ...options })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }) as Error,
      );
    }
    expect(() => httpTokens({ url: 'https://x.example.com' }).forUser('')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }) as Error,
    );
  });

  test('is not asked for where the service could give nothing: for the account and for databases', async () => {
    const tokens = await from(json(FACTS));
    expect((await failureOf(tokens.getToken({ container: undefined }))).code).toBe('FORBIDDEN');
  });
});
