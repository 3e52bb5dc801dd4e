import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startServer, type ServerOptions } from '../../src/server/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { serve, sign } from './served.ts';

const OWN_KEY = Buffer.from('a key of our own').toString('base64');

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly code: string | undefined;
}

/** A signed request with the headers that a browser would send. */
async function visit(port: number, headers: Record<string, string>, method = 'GET', body?: string, key?: string): Promise<Answer> {
  const date = new Date().toUTCString();
  const sent = { 'x-ms-date': date, authorization: sign(method, '/dbs', date, key), ...headers };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/dbs', method, headers: sent, agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
  }
  return {
    status: response.statusCode as number,
    headers: response.headers,
    code: text === '' ? undefined : (JSON.parse(text) as { code?: string }).code,
  };
}

describe('the Host of a request', () => {
  const named = (options: Partial<ServerOptions>) => serve({ allowedHosts: ['Emulator.test', '*.apps.test'], ...options });

  test.each([
    'localhost',
    'LOCALHOST:1',
    'app.localhost',
    '127.0.0.1',
    '127.8.9.10:80',
    '[::1]',
    '[::1]:8081',
    'localhost.',
    'emulator.test:9',
    'a.b.apps.test',
  ])('%s is answered on loopback', async (host) => {
    const { server } = await named({});
    expect((await visit(server.port, { host })).status).toBe(200);
  });

  test.each([
    'evil.test',
    'localhost.evil.test',
    'emulator.test.evil.test',
    'apps.test',
    'xapps.test',
    '192.168.0.1',
    '127.0.0.1.nip.io',
    '[fe80::1]',
    'user@localhost',
    'localhost:x',
    '128.0.0.1',
    'evil.test#localhost',
  ])('%j is refused on loopback, and nothing is done', async (host) => {
    const { server, backend } = await named({});
    expect(await visit(server.port, { host }, 'POST', '{"id":"app"}')).toMatchObject({ status: 403, code: 'Forbidden' });
    expect(await backend.listDatabases()).toEqual([]);
  });

  test('that stands in the first line counts, whatever the header says', async () => {
    const { server } = await serve();
    const ask = async (target: string, host = 'localhost'): Promise<string> => {
      const date = new Date().toUTCString();
      const socket = connect(server.port, '127.0.0.1');
      socket.end(
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nx-ms-date: ${date}\r\nAuthorization: ${sign('GET', '/dbs', date)}\r\n\r\n`,
      );
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
      }
      return answer.slice(9, 12);
    };
    expect(await ask('http://localhost/dbs')).toBe('200');
    expect(await ask('http://evil.test/dbs')).toBe('403');
    expect(await ask('ftp://localhost/dbs')).toBe('400');
    expect(await ask('*')).toBe('400');
    expect(await ask('/dbs', '')).toBe('403');
    expect(await ask('/dbs', 'localhost\r\nHost: localhost')).toBe('400');
  });

  test('may be any name where the server has a key of its own and another address, unless names are given', async () => {
    const any = await serve({ host: '0.0.0.0', key: OWN_KEY });
    expect((await visit(any.server.port, { host: 'cosmos:8081' }, 'GET', undefined, OWN_KEY)).status).toBe(200);
    const some = await serve({ host: '0.0.0.0', key: OWN_KEY, allowedHosts: ['cosmos'] });
    expect((await visit(some.server.port, { host: 'cosmos:8081' }, 'GET', undefined, OWN_KEY)).status).toBe(200);
    expect((await visit(some.server.port, { host: 'other' }, 'GET', undefined, OWN_KEY)).status).toBe(403);
  });
});

describe('a web page', () => {
  test.each<Record<string, string>>([
    { origin: 'http://evil.test' },
    { origin: 'http://localhost:3000' },
    { origin: 'null' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  ])('with %j is refused before its body is read, and nothing is done', async (headers) => {
    const { server, backend } = await serve();
    const refused = await visit(server.port, headers, 'POST', '{"id":"app"}');
    expect(refused).toMatchObject({ status: 403, code: 'Forbidden' });
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    // A body that never comes is not waited for.
    const endless = httpRequest({
      port: server.port,
      method: 'POST',
      path: '/dbs',
      headers: { ...headers, 'content-length': '1000' },
      agent: false,
    });
    endless.flushHeaders();
    const [response] = (await once(endless, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(403);
    endless.on('error', () => undefined).destroy();
    expect(await backend.listDatabases()).toEqual([]);
  });

  test('that a person comes to by a link is no other site', async () => {
    const { server } = await serve();
    expect((await visit(server.port, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).status).toBe(200);
  });

  test('gets no preflight unless its origin was given', async () => {
    const { server } = await serve({ corsOrigins: ['http://localhost:3000'] });
    const preflight = (origin: string) =>
      visit(
        server.port,
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,x-ms-date',
          'access-control-request-private-network': 'true',
        },
        'OPTIONS',
      );
    const granted = await preflight('http://localhost:3000');
    expect(granted.status).toBe(204);
    expect(granted.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:3000',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'authorization,x-ms-date',
      'access-control-allow-private-network': 'true',
      vary: 'origin',
    });
    for (const origin of ['http://localhost:3001', 'https://localhost:3000', 'http://localhost', 'http://localhost:3000.evil.test']) {
      const refused = await preflight(origin);
      expect(refused).toMatchObject({ status: 403, code: 'Forbidden' });
      expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  test('whose origin was given works with the SDK, and may read its headers, of errors too', async () => {
    const origin = 'http://localhost:3000';
    const { server, client } = await serve({ corsOrigins: [origin] });
    const page = client({ defaultHeaders: { origin } });
    const { database } = await page.databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'todos', partitionKey: '/owner' });
    const created = await container.items.create({ id: '1', owner: 'ada' });
    expect(created.headers['access-control-allow-origin']).toBe(origin);
    const exposed = String(created.headers['access-control-expose-headers']).split(', ');
    const unread = Object.keys(created.headers).filter((name) => /^(?:x-ms-(?!throttle)|etag)/u.test(name) && !exposed.includes(name));
    expect(unread).toEqual([]);
    const refused = await visit(server.port, { origin, authorization: 'no' });
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(origin);
  });

  test('of every origin is let in by *, with a key of its own only', async () => {
    const { server } = await serve({ corsOrigins: ['*'], key: OWN_KEY });
    const answer = await visit(server.port, { origin: 'https://any.test' }, 'GET', undefined, OWN_KEY);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'https://any.test']);
  });

  test.each<[Partial<ServerOptions>, RegExp]>([
    [{ corsOrigins: ['*'] }, /key of your own/u],
    [{ corsOrigins: ['localhost:3000'] }, /corsOrigins/u],
    [{ corsOrigins: ['http://localhost:80'] }, /corsOrigins/u],
    [{ corsOrigins: ['http://localhost:3000/'] }, /corsOrigins/u],
    [{ corsOrigins: ['null'] }, /corsOrigins/u],
    [{ allowedHosts: ['http://name'] }, /allowedHosts/u],
    [{ allowedHosts: ['*'] }, /allowedHosts/u],
    [{ allowedHosts: ['name:80'] }, /allowedHosts/u],
  ])('the options %j are refused', async (options, message) => {
    const backend = openMemoryBackend();
    const starting = startServer({ backend, port: 0, ...options });
    await expect(starting).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) as string });
    await backend.close();
  });
});
