import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CosmosClient } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import { silentLogger, type Logger } from '../../src/core/logger.ts';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { LinkParser } from '../../src/server/resource-link.ts';
import { MemoryBackend, openMemoryBackend } from '../../src/stores/memory/index.ts';
import type { DatabaseInfo } from '../../src/store/backend.ts';
import { serve, sign } from './served.ts';

/** Sends bytes as they are and gives all that comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  return { status: response.status, ...((await response.json()) as { code: string; message: string }) };
}

describe('requests that cannot be served', () => {
  test.each(['/nothing', '/dbs/a/what', '/dbs/a/colls/c/docs/1/attachments', '/dbs/a/colls/c/d/e/f/g', '/offers/a/b'])(
    'the unknown path %s is answered with 404, or 400 where a known one goes on wrongly',
    async (path) => {
      const { send } = await serve();
      const expected = /^\/+(?:dbs|offers)\//u.test(path) ? { status: 400, code: 'BadRequest' } : { status: 404, code: 'NotFound' };
      expect(await errorOf(await send('GET', path))).toMatchObject(expected);
    },
  );

  test.each([
    ['PATCH', '/dbs'],
    ['PUT', '/dbs/a'],
    ['DELETE', '/dbs/a/colls/c/docs'],
    ['POST', '/dbs/a/colls/c/docs/1'],
    ['POST', '/'],
    ['OPTIONS', '/dbs'],
  ])('the method %s on %s is answered with 405 and the methods that will do', async (method, path) => {
    const { send } = await serve();
    const response = await send(method, path);
    expect(response.headers.get('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/u);
    expect(await errorOf(response)).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
  });

  test.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['not JSON', '{"id":'],
    ['empty', ''],
    ['no object', '[1]'],
    ['not UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ])('a body that is %s is answered with 400', async (_name, body) => {
    const { send } = await serve();
    expect(await errorOf(await send('POST', '/dbs', { body }))).toMatchObject({ status: 400, code: 'BadRequest' });
  });

  test('a path with a broken escape is answered with 400', async () => {
    const { send } = await serve();
    expect((await send('GET', '/dbs/a%zz', { authorization: 'x' })).status).toBe(400);
  });

  test('a body over the limit is answered with 413, and the connection goes on', async () => {
    const { send, server } = await serve({ maxBodyBytes: 1000 });
    const answer = await errorOf(await send('POST', '/dbs', { body: JSON.stringify({ id: 'x'.repeat(2_000_000) }) }));
    expect(answer).toMatchObject({ status: 413, code: 'RequestEntityTooLarge' });
    expect(answer.message).toContain('Request size is too large');
    expect((await send('GET', '/dbs')).status).toBe(200);

    const date = new Date().toUTCString();
    const head = `POST /dbs HTTP/1.1\r\nHost: localhost\r\nx-ms-date: ${date}\r\nAuthorization: ${sign('POST', '/dbs', date)}\r\nConnection: close\r\n`;
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    expect(await raw(server.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /u);
  });

  test('what is not HTTP, and headers without end, are answered and cut off', async () => {
    const { server } = await serve();
    expect(await raw(server.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"code":"BadRequest"/u);
    expect(await raw(server.port, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /u);
  });

  test('a request without a host is refused with a body, and an unknown expectation is ignored', async () => {
    const { server } = await serve();
    expect(await raw(server.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"code":"BadRequest"/u);
    const expecting = 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n';
    expect(await raw(server.port, expecting)).toMatch(/^HTTP\/1\.1 401 [^]*"code":"Unauthorized"/u);
  });

  test('paths that are too long to be of names are not kept, since nobody has signed them yet', () => {
    const links = new LinkParser();
    const parsedOnce = (name: string): boolean => {
      const path = `/dbs/${name}/colls/c/docs/1`;
      return links.parse(path).feed === links.parse(path).feed;
    };
    expect(parsedOnce('app')).toBe(true);
    expect(parsedOnce('a'.repeat(50_000))).toBe(false);
  });

  test('a failure inside is answered without its details, which go to the log', async () => {
    class BrokenBackend extends MemoryBackend {
      protected override _listDatabases(): Promise<readonly DatabaseInfo[]> {
        return Promise.reject(new PerigeeError('STORE_IO', 'Cannot read /secret/place/data.db.'));
      }
      protected override _readDatabase(): Promise<DatabaseInfo | undefined> {
        return Promise.reject(new TypeError('secret is not a function'));
      }
    }
    const logged: unknown[] = [];
    const logger: Logger = { log: (level, message, fields) => logged.push([level, message, fields?.['code']]) };
    const { send } = await serve({ backend: new BrokenBackend(), logger });
    for (const path of ['/dbs', '/dbs/a']) {
      const answer = await errorOf(await send('GET', path));
      expect(answer).toMatchObject({ status: 500, code: 'InternalServerError' });
      expect(answer.message).not.toContain('secret');
    }
    expect(logged).toEqual([
      ['error', 'request failed', 'STORE_IO'],
      ['error', 'request failed', 'INTERNAL'],
    ]);
  });

  test('an answer that cannot be written as HTTP is answered with 500', async () => {
    class OddBackend extends MemoryBackend {
      protected override async _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
        const info = await super._readDatabase(id);
        return info === undefined ? undefined : { ...info, etag: '"line\nbreak"' };
      }
    }
    const { send } = await serve({ backend: new OddBackend(), logger: silentLogger });
    await send('POST', '/dbs', { body: '{"id":"app"}' });
    expect(await errorOf(await send('GET', '/dbs/app'))).toMatchObject({ status: 500, code: 'InternalServerError' });
    expect((await send('GET', '/dbs')).status).toBe(200);
  });

  test('a closed backend is answered with 503', async () => {
    const { send, backend } = await serve({ logger: silentLogger });
    await backend.close();
    expect(await errorOf(await send('GET', '/dbs'))).toMatchObject({ status: 503, code: 'ServiceUnavailable' });
  });
});

test('the feed of conflicts is there and empty', async () => {
  const { client } = await serve();
  const { database } = await client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
  expect((await container.conflicts.readAll().fetchAll()).resources).toEqual([]);
  expect((await container.conflicts.query('SELECT * FROM root r').fetchAll()).resources).toEqual([]);
});

describe('starting and stopping', () => {
  test('a port that is taken is PORT_IN_USE', async () => {
    const { server } = await serve();
    const backend = openMemoryBackend();
    await expect(startServer({ backend, port: server.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await backend.close();
  });

  test.each([
    [{ host: '0.0.0.0' }, /well-known key/u],
    [{ host: '::' }, /well-known key/u],
    [{ host: 'example.com' }, /well-known key/u],
    [{ host: '' }, /well-known key/u],
    [{ host: '192.0.2.1', key: 'c2VjcmV0' }, /Cannot listen/u],
    [{ key: 'not base64!' }, /not base64/u],
    [{ key: '' }, /not base64/u],
    [{ port: 70_000 }, /port/u],
    [{ maxBodyBytes: 0 }, /maxBodyBytes/u],
  ])('refuses %j', async (options, message) => {
    const backend = openMemoryBackend();
    const starting = startServer({ backend, port: 0, ...options });
    await expect(starting).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) as string });
    await backend.close();
  });

  test('listens elsewhere with a key of its own', async () => {
    const { client, server } = await serve({ host: '0.0.0.0', key: Buffer.from('a key of our own').toString('base64') });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect((await client().databases.create({ id: 'app' })).statusCode).toBe(201);
  });

  test('closing lets a request under way end, and leaves the backend open', async () => {
    let release = (): void => undefined;
    let entered = (): void => undefined;
    const inside = new Promise<void>((resolve) => (entered = resolve));
    class SlowBackend extends MemoryBackend {
      protected override async _listDatabases(): Promise<readonly DatabaseInfo[]> {
        entered();
        await new Promise<void>((resolve) => (release = resolve));
        return super._listDatabases();
      }
    }
    const { server, send, backend } = await serve({ backend: new SlowBackend() });
    await send('GET', '/');
    const pending = send('GET', '/dbs');
    await inside;
    const closing = server.close();
    await expect(send('GET', '/')).rejects.toThrow();
    release();
    const response = await pending;
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    await closing;
    await server.close();
    expect((await backend.createDatabase('still')).id).toBe('still');
  });

  test('closing waits no longer than it was told', async () => {
    class StuckBackend extends MemoryBackend {
      protected override _listDatabases(): Promise<readonly DatabaseInfo[]> {
        return new Promise(() => undefined);
      }
    }
    const backend = new StuckBackend();
    const server = await startServer({ backend, port: 0, closeTimeoutMs: 50 });
    const date = new Date().toUTCString();
    const pending = fetch(`${server.url}/dbs`, { headers: { 'x-ms-date': date, authorization: sign('GET', '/dbs', date) } });
    const failed = expect(pending).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    await failed;
  });

  test('clients that go away in the middle do no harm', async () => {
    const { server, client } = await serve();
    const date = new Date().toUTCString();
    for (let index = 0; index < 5; index += 1) {
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => {
          const head = `POST /dbs HTTP/1.1\r\nHost: localhost\r\nx-ms-date: ${date}\r\nAuthorization: ${sign('POST', '/dbs', date)}\r\n`;
          socket.write(`${head}Content-Length: 1000\r\n\r\n{"id":`, () => {
            socket.destroy();
            resolve();
          });
        });
      });
    }
    expect((await client().databases.readAll().fetchAll()).resources).toEqual([]);
  });

  test('serves HTTPS with a certificate that it makes', async () => {
    const { server } = await serve({ https: true });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/u);
    const { Agent, request } = await import('node:https');
    const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
    const client = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY, agent });
    await client.databases.create({ id: 'app' });
    const names = await new Promise<string>((resolve, reject) => {
      const socket = request(`${server.url}/`, { agent }, (response) => {
        const certificate = (response.socket as TLSSocket).getPeerCertificate();
        response.resume();
        resolve(certificate.subjectaltname ?? '');
      });
      socket.on('error', reject);
      socket.end();
    });
    expect(names).toContain('localhost');
    expect(names).toContain('127.0.0.1');
    client.dispose();
    agent.destroy();
  });
});
