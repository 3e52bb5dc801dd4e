import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ADMIN_ROUTES } from '../../../src/server/admin/admin-routes.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { HostileConnection } from '../hostile/hostile-connection.ts';
import { serve } from '../served.ts';
import { admin } from './admin-client.ts';

const KEY = Buffer.from('the key of this server alone').toString('base64');
const READ_ONLY = Buffer.from('a key for those who look').toString('base64');
const OPEN = ['/healthz', '/readyz', '/_perigee/health', '/_perigee/ready'];

/** Status of a request with headers that fetch does not let through. */
function statusWith(url: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('who may use the admin routes', () => {
  test('every route needs a key: its own as a bearer token, or a signature with it', async () => {
    const served = await serve({ key: KEY, readOnlyKey: READ_ONLY, directoryTokens: 'any' });
    for (const { method, path, need } of ADMIN_ROUTES) {
      const route = path.replace('/_perigee/', '');
      for (const wrong of [null, '', KEY.slice(1), `${KEY}A`, 'a.e30.c', READ_ONLY.slice(0, -4)]) {
        const { status, body } = await admin(served, method, route, undefined, wrong);
        expect([path, wrong, status]).toEqual([path, wrong, 401]);
        expect(JSON.stringify(body)).not.toContain(KEY);
      }
      const looked = await admin(served, method, route, undefined, READ_ONLY);
      const signed = await served.send(method, path, { key: READ_ONLY, ...(method === 'GET' ? {} : { body: '' }) });
      await signed.arrayBuffer();
      expect([looked.status === 403, signed.status === 403]).toEqual([need === 'master', need === 'master']);
    }
    const basic = await served.send('GET', '/_perigee/info', { authorization: `Basic ${KEY}` });
    expect([basic.status, await basic.text()]).toEqual([401, expect.stringContaining('send \\"Authorization: Bearer\\"')]);
    expect((await admin(served, 'GET', 'info', undefined, KEY)).status).toBe(200);
    expect((await admin(served, 'GET', 'info', undefined, KEY.replace(/=+$/u, ''))).status).toBe(200);
    expect((await served.send('GET', '/_perigee/info')).status).toBe(200);
    expect((await served.send('GET', '/_perigee/info', { date: new Date(0).toUTCString() })).status).toBe(401);
    expect((await served.send('POST', '/_perigee/partitions/split', { body: '{}' })).status).toBe(400);
  });

  test('a key as a bearer token opens nothing of the protocol', async () => {
    const { server } = await serve({ key: KEY });
    expect((await fetch(`${server.url}/dbs`, { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(401);
  });

  test('pages of others and names of others are refused before anything else, health included', async () => {
    const { server } = await serve({ key: KEY });
    for (const path of [...OPEN, ...ADMIN_ROUTES.map((one) => one.path)]) {
      const authorization = `Bearer ${KEY}`;
      expect(await statusWith(server.url, path, { host: 'evil.example', authorization })).toBe(403);
      expect(await statusWith(server.url, path, { origin: 'https://evil.example', authorization })).toBe(403);
    }
  });

  test('what is no admin route is told from what is', async () => {
    const served = await serve({ key: KEY });
    expect(await admin(served, 'GET', 'nothing', undefined, null)).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    const wrongMethod = await admin(served, 'DELETE', 'clock', undefined, null);
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });
});

describe('health and readiness', () => {
  test('need no key and tell nothing', async () => {
    const { server } = await serve({ key: KEY });
    for (const path of OPEN) {
      const response = await fetch(server.url + path);
      expect([response.status, Object.keys((await response.json()) as object)]).toEqual([200, ['status']]);
      const head = await fetch(server.url + path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      expect((await fetch(server.url + path, { method: 'POST' })).status).toBe(405);
    }
  });

  test('a server that stops says so on the connections that it still has, and ends them', async () => {
    const { server } = await serve({ idleGraceMs: 10_000 });
    const open = async (): Promise<HostileConnection> => {
      const connection = await HostileConnection.open(server.port);
      connection.write(Buffer.from('GET /_perigee/ready HTTP/1.1\r\nHost: localhost\r\n\r\n'));
      expect((await connection.answers(['GET'])).answers[0]?.status).toBe(200);
      return connection;
    };
    const connections = [await open(), await open()];
    const closed = server.close();
    for (const [index, path] of ['ready', 'health'].entries()) {
      const connection = connections[index] as HostileConnection;
      connection.write(Buffer.from(`GET /_perigee/${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
      const [answer] = (await connection.answers(['GET'])).answers;
      expect([answer?.status, answer?.closes]).toEqual([path === 'ready' ? 503 : 200, true]);
      expect(JSON.parse(answer?.body.toString('utf8') ?? '')).toMatchObject({ status: path === 'ready' ? 'stopping' : 'ok' });
      await connection.whenClosed();
    }
    await closed;
  });

  test('a server whose store fails is alive but not ready, and says no more', async () => {
    const backend = openMemoryBackend();
    const { server } = await serve({ backend, logger: silentLogger });
    await backend.close();
    expect((await fetch(`${server.url}/_perigee/health`)).status).toBe(200);
    const response = await fetch(`${server.url}/_perigee/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      code: 'ServiceUnavailable',
      message: 'The server does not take requests now.',
      status: 'unavailable',
    });
  });
});

describe('/_perigee/info', () => {
  test('tells what is served and how, and no key', async () => {
    const served = await serve({ key: KEY, readOnlyKey: READ_ONLY, partitions: 2 });
    const { body } = await admin(served, 'GET', 'info', undefined, KEY);
    expect(body).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/u),
      url: served.server.url,
      partitions: 2,
      store: { name: 'memory', capabilities: { snapshots: true } },
      clock: { isMovable: false, shiftedMs: 0 },
    });
    expect(JSON.stringify(body)).not.toContain(KEY);
    expect(JSON.stringify(body)).not.toContain(READ_ONLY);
  });
});

describe('/_perigee/chaos', () => {
  test('puts rules in force, reports on them, and takes them away', async () => {
    const served = await serve();
    const rules = { seed: 'x', rules: [{ id: 'down', operation: 'list-databases', count: 1, effect: { kind: 'status', status: 503 } }] };
    expect(await admin(served, 'PUT', 'chaos', rules)).toMatchObject({
      status: 200,
      body: { seed: 'x', rules: [{ id: 'down', fired: 0 }] },
    });
    expect([(await served.send('GET', '/dbs')).status, (await served.send('GET', '/dbs')).status]).toEqual([503, 200]);
    expect((await admin(served, 'GET', 'chaos')).body).toMatchObject({ rules: [{ id: 'down', seen: 2, fired: 1, rule: { count: 1 } }] });
    expect((await admin(served, 'DELETE', 'chaos')).status).toBe(204);
    expect((await admin(served, 'GET', 'chaos')).body).toMatchObject({ rules: [] });
  });

  test('refuses rules that cannot be used, names the rule, and leaves those in force', async () => {
    const served = await serve({ chaos: { rules: [{ id: 'kept', effect: { kind: 'delay', delayMs: 0 } }] } });
    for (const [body, message] of [
      ['{', 'not valid JSON'],
      [{ rules: [{ effect: { kind: 'status', status: 1 } }] }, 'rules[0].effect.status'],
      [{ rules: [{ id: 'a', operation: 'nothing', effect: { kind: 'drop' } }] }, 'rules[0] (\\"a\\").operation'],
      [`{"rules": [], "x": "${'y'.repeat(3_000_000)}"}`, 'too large'],
    ] as const) {
      const answer = await admin(served, 'PUT', 'chaos', body);
      expect([400, 413]).toContain(answer.status);
      if (answer.status === 400) {
        expect(JSON.stringify(answer.body)).toContain(message === 'not valid JSON' ? 'JSON' : message);
      }
    }
    expect((await admin(served, 'GET', 'chaos')).body).toMatchObject({ rules: [{ id: 'kept' }] });
  });

  test('is not met by chaos itself', async () => {
    const served = await serve({ chaos: { rules: [{ effect: { kind: 'drop' } }] } });
    expect((await admin(served, 'GET', 'info')).status).toBe(200);
    expect((await admin(served, 'DELETE', 'chaos')).status).toBe(204);
    expect((await served.send('GET', '/dbs')).status).toBe(200);
  });
});

describe('/_perigee/partitions', () => {
  test('lists, splits and merges the ranges of a container', async () => {
    const served = await serve();
    const { database } = await served.client().databases.create({ id: 'app' });
    const { container } = await database.containers.create({ id: 'items', partitionKey: '/key' });
    const names = { database: 'app', container: 'items' };
    const list = async (): Promise<unknown> => (await admin(served, 'GET', 'partitions?database=app&container=items')).body;
    expect(await list()).toEqual({ ranges: [{ id: '0', min: '', max: 'FF', parents: [] }] });
    const split = await admin(served, 'POST', 'partitions/split', { ...names, rangeId: '0', completingMs: 5 });
    expect(split).toMatchObject({
      status: 200,
      body: {
        ranges: [
          { id: '1', parents: ['0'] },
          { id: '2', parents: ['0'] },
        ],
      },
    });
    expect(await list()).toEqual(split.body);
    expect((await container.readPartitionKeyRanges().fetchAll()).resources).toHaveLength(2);
    const merged = await admin(served, 'POST', 'partitions/merge', names);
    expect(merged).toMatchObject({ status: 200, body: { ranges: [{ id: '3', min: '', max: 'FF' }] } });
    for (const [path, body, status] of [
      ['split', { ...names, rangeId: '0' }, 404],
      ['split', { ...names, container: 'none' }, 404],
      ['split', { database: 'app' }, 400],
      ['split', { ...names, rangeId: 3 }, 400],
      ['split', { ...names, where: '1' }, 400],
      ['split', { ...names, completingMs: 'soon' }, 400],
      ['split', [], 400],
      ['merge', names, 400],
    ] as const) {
      expect([path, body, (await admin(served, 'POST', `partitions/${path}`, body)).status]).toEqual([path, body, status]);
    }
    expect((await admin(served, 'GET', 'partitions')).status).toBe(400);
    expect(await list()).toEqual(merged.body);
  });
});
