import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ChangeFeedPolicy, ChangeFeedRetentionTimeSpan, type Container } from '@azure/cosmos';
import { describe, expect, test } from 'vitest';
import { ShiftableRuntime } from '../../../src/core/shiftable-runtime.ts';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/index.ts';
import { serve, type Served } from '../served.ts';
import { admin } from './admin-client.ts';

const BACKENDS = {
  memory: async (runtime?: ShiftableRuntime) => openMemoryBackend({ runtime }),
  sqlite: (runtime?: ShiftableRuntime) => openSqliteBackend({ path: ':memory:', runtime }),
};

/** A server with a database, a container with some documents, a user and a stored procedure. */
async function filled(served: Served, count = 3): Promise<Container> {
  const { database } = await served.client().databases.create({ id: 'app' });
  const changeFeedPolicy = new ChangeFeedPolicy(ChangeFeedRetentionTimeSpan.fromMinutes(600));
  const { container } = await database.containers.create({ id: 'items', partitionKey: '/key', changeFeedPolicy });
  await database.users.create({ id: 'ada' });
  await container.scripts.storedProcedures.create({ id: 'count', body: 'function () {}' });
  const store = await served.backend.container('app', 'items');
  await store.bulk(Array.from({ length: count }, (_, n) => ({ type: 'create' as const, document: { id: `i${n}`, key: `k${n % 7}`, n } })));
  return container;
}

async function idsOf(container: Container): Promise<readonly string[]> {
  return (await container.items.query<string>('SELECT VALUE c.id FROM c').fetchAll()).resources.toSorted();
}

async function take(served: Served, query = ''): Promise<string> {
  const { status, body } = await admin(served, 'GET', `snapshot${query}`);
  expect(status).toBe(200);
  return body as string;
}

function post(served: Served, path: string, headers: Record<string, string> = {}): ClientRequest {
  const authorization = `Bearer ${WELL_KNOWN_KEY}`;
  return request(new URL(`/_perigee/${path}`, served.server.url), { method: 'POST', headers: { authorization, ...headers } });
}

describe.each(Object.entries(BACKENDS))('a snapshot from a server on %s', (_name, open) => {
  test('restores everything elsewhere, and on the same server in place of what is there, which clients see at once', async () => {
    const source = await serve({ backend: await open() });
    const container = await filled(source);
    const snapshot = await take(source);
    const lines = snapshot.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(
      expect.arrayContaining(['perigee-snapshot', 'database', 'container', 'document', 'end']),
    );
    const before = (await container.item('i1', 'k1').read()).resource;

    const target = await serve({ backend: await open() });
    expect(await admin(target, 'POST', 'restore', snapshot)).toMatchObject({ status: 200, body: { databases: 1, containers: 2 } });
    const copy = target.client().database('app').container('items');
    expect((await copy.item('i1', 'k1').read()).resource).toEqual(before);
    expect((await copy.database.users.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['ada']);
    expect((await copy.scripts.storedProcedure('count').read()).resource?.id).toBe('count');

    await container.items.create({ id: 'more', key: 'k' });
    await container.item('i0', 'k0').delete();
    await container.database.user('ada').delete();
    expect(await admin(source, 'POST', 'restore', snapshot)).toMatchObject({ status: 409, body: { code: 'Conflict' } });
    expect(await idsOf(container)).toEqual(['i1', 'i2', 'more']);
    const zipped = await admin(source, 'POST', 'restore?replace=true', gzipSync(snapshot));
    expect(zipped.status).toBe(200);
    expect(await idsOf(container)).toEqual(['i0', 'i1', 'i2']);
    expect((await container.item('i1', 'k1').read()).resource).toEqual(before);
    expect((await container.database.users.readAll().fetchAll()).resources.map(({ id }) => id)).toEqual(['ada']);
    await container.items.create({ id: 'after', key: 'k' });
  });

  test('can be of an earlier moment, as far as versions are kept, and says where they are not', async () => {
    const runtime = new ShiftableRuntime();
    const served = await serve({ backend: await open(runtime) });
    const container = await filled(served);
    const { nowMs } = (await admin(served, 'GET', 'clock')).body as { nowMs: number };
    await admin(served, 'POST', 'clock', { advanceMs: 60_000 });
    await container.items.create({ id: 'later', key: 'k' });
    await container.item('i0', 'k0').delete();
    const then = await take(served, `?asOf=${new Date(nowMs + 1000).toISOString()}`);
    await admin(served, 'POST', 'restore?replace=true', then);
    expect(await idsOf(container)).toEqual(['i0', 'i1', 'i2']);

    const before = await admin(served, 'GET', 'snapshot?asOf=2001-01-01');
    expect([before.status, before.headers.get('x-perigee-code')]).toEqual([400, 'OUTSIDE_RETENTION']);
    for (const query of ['asOf=yesterday', 'asOf=', `asOf=${nowMs + 10 ** 9}`]) {
      expect([query, (await admin(served, 'GET', `snapshot?${query}`)).status]).toEqual([query, 400]);
    }
  });

  test('is refused whole when it is foreign, torn, damaged or cut off on its way, and changes nothing', async () => {
    const served = await serve({ backend: await open() });
    const container = await filled(served, 200);
    const snapshot = await take(served);
    await container.items.create({ id: 'now', key: 'k' });
    const there = await idsOf(container);
    const lines = snapshot.trimEnd().split('\n');
    for (const [name, body] of [
      ['nothing', ''],
      ['foreign', '{"hello": "world"}\n'],
      ['torn', lines.slice(0, -1).join('\n')],
      ['damaged', snapshot.replace('"key\\":\\"k3', '"key\\":\\"k4')],
      ['zipped and torn', gzipSync(snapshot).subarray(0, -200)],
      ['endless line', 'x'.repeat(17 * 1024 * 1024)],
    ] as const) {
      const answer = await admin(served, 'POST', 'restore?replace=true', body);
      expect([name, answer.status, answer.headers.get('x-perigee-code')]).toEqual([name, 400, 'INVALID_SNAPSHOT']);
    }
    expect((await admin(served, 'POST', 'restore?replace=yes', snapshot)).status).toBe(400);

    const upload = post(served, 'restore?replace=true', { 'content-length': String(snapshot.length) });
    upload.on('error', () => undefined);
    upload.write(snapshot.slice(0, snapshot.length / 2));
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    upload.destroy();
    expect(await idsOf(container)).toEqual(there);
  });
});

describe('a snapshot over HTTP', () => {
  test('comes compressed to whom takes that, and as one line after the other', async () => {
    const served = await serve();
    await filled(served, 500);
    const plain = request(new URL('/_perigee/snapshot', served.server.url), {
      headers: { authorization: `Bearer ${WELL_KNOWN_KEY}`, 'accept-encoding': 'br, gzip;q=0.5' },
    });
    plain.end();
    const [response] = (await once(plain, 'response')) as [IncomingMessage];
    expect([response.headers['content-encoding'], response.headers['content-type']]).toEqual(['gzip', 'application/x-ndjson']);
    const zipped = Buffer.concat((await response.toArray()) as Buffer[]);
    expect(zipped.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    const other = await serve();
    expect((await admin(other, 'POST', 'restore', zipped)).status).toBe(200);
  });

  test('may be larger than any other body, and may take longer than any other request as long as something comes', async () => {
    const source = await serve();
    const container = await filled(source, 0);
    const store = await source.backend.container('app', 'items');
    for (let n = 0; n < 8; n += 1) {
      await store.create({ id: `large${n}`, key: 'k', text: 'x'.repeat(1_000_000) });
    }
    const snapshot = await take(source);
    const served = await serve({ maxBodyBytes: 1_000_000, requestTimeoutMs: 600 });
    const upload = post(served, 'restore', { 'content-length': String(Buffer.byteLength(snapshot)), expect: '100-continue' });
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.flushHeaders();
    await once(upload, 'continue');
    const size = Math.ceil(snapshot.length / 8);
    for (let at = 0; at < snapshot.length; at += size) {
      upload.write(snapshot.slice(at, at + size));
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
    }
    upload.end();
    const [response] = await answered;
    expect([response.statusCode, Buffer.concat((await response.toArray()) as Buffer[]).toString()]).toEqual([200, expect.any(String)]);
    expect(await idsOf(served.client().database('app').container('items'))).toEqual(await idsOf(container));
  });

  test('of which nothing more comes is given up, and nothing is changed', async () => {
    const served = await serve({ requestTimeoutMs: 300 });
    const container = await filled(served);
    const upload = post(served, 'restore?replace=true', { 'content-length': '1000' });
    upload.write('{"kind": "perigee-snapshot"');
    await once(upload, 'error');
    expect(await idsOf(container)).toEqual(['i0', 'i1', 'i2']);
  });
});
