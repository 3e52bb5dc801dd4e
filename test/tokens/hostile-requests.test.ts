import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ServiceRequest } from '../../src/tokens/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { RateLimiter } from '../../src/tokens/service/rate-limiter.ts';
import { openScene, serveHttp, type Scene } from './scene.ts';

const DEMAND = { container: 'todos', partitionKey: ['ada'], mode: 'all' };
const open = (): Promise<Scene> =>
  openScene({ verify: ({ headers }) => (headers['authorization'] === 'Bearer me' ? { subject: 'ada' } : undefined) });
const ME = { authorization: 'Bearer me' };

describe('a request that makes no sense', () => {
  test('gets 400 and a word on what to send', async () => {
    const scene = await open();
    const bodies: readonly unknown[] = [
      '',
      '{',
      'null',
      '[]',
      '"todos"',
      {},
      { container: 7 },
      { ...DEMAND, mode: 'write' },
      { ...DEMAND, mode: null },
      { ...DEMAND, database: 1 },
      { ...DEMAND, partitionKey: [] },
      { ...DEMAND, partitionKey: ['a', 'b', 'c', 'd'] },
      { ...DEMAND, partitionKey: { a: 1 } },
      { ...DEMAND, partitionKey: [['ada']] },
      { ...DEMAND, partitionKey: 'x'.repeat(3000) },
      '{"container":"todos","partitionKey":"\\ud800"}',
      '{"container":"todos","partitionKey":1e999}',
    ];
    for (const body of bodies) {
      const answer = await scene.ask(body, ME);
      expect([body, answer.status, answer.body['code']]).toEqual([body, 400, 'BAD_REQUEST']);
    }
    expect((await scene.ask('{"__proto__":{"container":"todos"}}', ME)).status).toBe(400);
    expect((await scene.ask('{"container":"todos","__proto__":{"mode":"all"},"extra":1}', ME)).body['mode']).toBe('read');
  });

  test('gets 405 for any method but POST, and nothing of the account is touched for a stranger', async () => {
    const scene = await open();
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(scene.url, { method, headers: ME });
      expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'POST']);
    }
    await scene.ask(DEMAND, {});
    expect((await scene.cloud.listContainers('app')).length).toBe(2);
    expect(scene.log.records.every(({ fields }) => (fields as { code?: string }).code !== undefined)).toBe(true);
  });
});

describe('a request that is too large', () => {
  test('gets 413 by its length, or as soon as too much has come, and the connection ends', async () => {
    const scene = await open();
    expect((await scene.ask({ ...DEMAND, padding: 'x'.repeat(9000) }, ME)).body['code']).toBe('TOO_LARGE');
    const { port } = new URL(scene.url);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer me\r\nTransfer-Encoding: chunked\r\n\r\n');
        // It never ends by itself.
        socket.write(`2800\r\n${'x'.repeat(0x2800)}\r\n`);
      });
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /u);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect((await scene.ask(DEMAND, ME)).status).toBe(200);
  });

  test('gets 431 for its headers', async () => {
    const scene = await open();
    const { status, body } = await scene.ask(DEMAND, { ...ME, 'x-filler': 'x'.repeat(33_000) });
    expect([status, body['code']]).toEqual([431, 'TOO_LARGE']);
  });

  test('a body that breaks off is answered to nobody, and the service goes on', async () => {
    const scene = await open();
    const { port } = new URL(scene.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer me\r\nContent-Length: 100\r\n\r\n{"cont', () => socket.destroy());
      });
      socket.on('close', () => resolve());
    });
    expect((await scene.ask(DEMAND, ME)).status).toBe(200);
  });
});

describe('a handler', () => {
  async function all(scene: Scene, request: Omit<ServiceRequest, 'body'> & { body: string }): Promise<readonly number[]> {
    const { method, headers, body } = request;
    const web = await scene.service.fetch(new Request('http://x/any/path', { method, headers: headers as Record<string, string>, body }));
    expect(web.headers.get('cache-control')).toBe('no-store');
    const { body: stream } = new Request('http://x/', { method, headers: headers as Record<string, string>, body });
    const azure = await scene.service.azureHandler({ method, headers: new Headers(headers as Record<string, string>), body: stream });
    const plain = await scene.service.handle(request);
    const bytes = await scene.service.handle({ ...request, body: new TextEncoder().encode(body) });
    return [web.status, azure.status, plain.status, bytes.status];
  }

  test('of each kind gives the same', async () => {
    const scene = await open();
    const ask = { method: 'POST', headers: ME, body: JSON.stringify(DEMAND) };
    expect(await all(scene, ask)).toEqual([200, 200, 200, 200]);
    expect(await all(scene, { ...ask, headers: {} })).toEqual([401, 401, 401, 401]);
    expect(await all(scene, { ...ask, body: 'x'.repeat(10_000) })).toEqual([413, 413, 413, 413]);
    const web = await scene.service.fetch(new Request('http://x/', { method: 'POST', headers: ME, body: ask.body }));
    expect(await web.json()).toMatchObject({ container: 'todos', partitionKey: ['ada'] });
    expect((await scene.service.fetch(new Request('http://x/'))).status).toBe(405);
    expect((await scene.service.azureHandler({ method: 'POST', headers: new Headers(ME), body: null })).status).toBe(400);
  });

  test.each(['json', 'text', 'none'] as const)(
    'behind something that has read the body already (%s) takes what that has made of it',
    async (kind) => {
      const scene = await open();
      const { url } = await serveHttp((request, response) => {
        void (async () => {
          if (kind !== 'none') {
            let text = '';
            for await (const chunk of request) {
              text += String(chunk);
            }
            Object.assign(request, { body: kind === 'json' ? (JSON.parse(text) as unknown) : text });
          } else {
            // As a body parser leaves it that the content type did not concern.
            Object.assign(request, { body: {} });
          }
          await scene.service.nodeHandler(request, response);
        })();
      });
      const response = await fetch(url, { method: 'POST', headers: ME, body: JSON.stringify(DEMAND) });
      expect([response.status, ((await response.json()) as { mode: string }).mode]).toEqual([200, 'all']);
    },
  );

  test('keeps the connection of a client that behaves', async () => {
    const scene = await open();
    for (const headers of [ME, {}]) {
      expect([headers, (await scene.ask(DEMAND, headers)).headers.get('connection')]).toEqual([
        headers,
        headers === ME ? 'keep-alive' : 'close',
      ]);
    }
  });
});

describe('the rate limit', () => {
  test('holds each caller, says when to come again, and leaves others alone', async () => {
    const runtime = new SimulatedRuntime();
    const scene = await openScene({
      verify: ({ headers }) => ({ subject: headers['x-user'] as string }),
      rateLimit: { perCaller: { perMinute: 6, burst: 3 } },
      runtime,
    });
    const ask = (user: string): ReturnType<Scene['ask']> => scene.ask({ container: 'todos' }, { 'x-user': user });
    expect((await Promise.all([ask('ada'), ask('ada'), ask('ada'), ask('ada')])).filter(({ status }) => status === 200)).toHaveLength(3);
    const { status, headers, body } = await ask('ada');
    expect([status, headers.get('retry-after'), body]).toEqual([
      429,
      '10',
      expect.objectContaining({ code: 'THROTTLED', retryAfterMs: 10_000, retryable: true }),
    ]);
    expect((await ask('bob')).status).toBe(200);
    await runtime.advance(9000);
    expect((await ask('ada')).body['retryAfterMs']).toBe(1000);
    await runtime.advance(1000);
    expect([(await ask('ada')).status, (await ask('ada')).status]).toEqual([200, 429]);
  });

  test('holds all together', async () => {
    const scene = await openScene({
      verify: ({ headers }) => ({ subject: headers['x-user'] as string }),
      rateLimit: { total: { perMinute: 1, burst: 2 } },
      runtime: new SimulatedRuntime(),
    });
    const statuses = [];
    for (const user of ['ada', 'bob', 'eve']) {
      statuses.push((await scene.ask({ container: 'todos' }, { 'x-user': user })).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('remembers no more callers than it has room for, and a wall clock that is set does nothing', async () => {
    const runtime = new SimulatedRuntime();
    const limiter = new RateLimiter({ perCaller: { perMinute: 1 }, total: { perMinute: 1e6, burst: 1e6 } }, runtime);
    for (let index = 0; index < 25_000; index += 1) {
      limiter.take(`user ${index}`);
    }
    expect(limiter.size).toBe(10_000);
    runtime.setNowMs(runtime.nowMs() + 86_400_000);
    expect(() => limiter.take('user 24999')).toThrow(expect.objectContaining({ code: 'THROTTLED', retryAfterMs: 60_000 }) as Error);
  });
});
