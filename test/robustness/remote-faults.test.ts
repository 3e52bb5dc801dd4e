import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/core/error-codes.ts';
import { startServer } from '../../src/server/index.ts';
import { SyncEngine, type SyncState } from '../../src/sync/index.ts';
import { openFaultProxy, type FaultProxy, type RequestKind, type WireFault } from './fault-proxy.ts';
import {
  atServer,
  onDevice,
  openCloud,
  openDevice,
  outcomeOf,
  OWNER,
  pendingOf,
  temporaryFolder,
  type Cloud,
  type Device,
} from './scene.ts';

const HTML = '<!doctype html><title>Sign in</title><p>Welcome to the hotel.</p>';

function refusal(status: number, headers: Readonly<Record<string, string>> = {}): WireFault {
  const body = JSON.stringify({ code: 'Refused', message: 'The service refuses.' });
  return { answer: { status, headers: { 'content-type': 'application/json', 'x-ms-activity-id': 'a', ...headers }, body } };
}

function page(status: number, applied = false): WireFault {
  return { applied, answer: { status, headers: { 'content-type': 'text/html' }, body: HTML } };
}

const json = (status: number, body: string): WireFault => ({ answer: { status, headers: { 'content-type': 'application/json' }, body } });

const CASES: readonly (readonly [name: string, code: ErrorCode, fault: WireFault])[] = [
  ['an HTML page with status 200', 'BAD_RESPONSE', page(200)],
  ['an HTML page with status 400', 'BAD_RESPONSE', page(400)],
  ['an HTML page with status 401', 'BAD_RESPONSE', page(401)],
  ['an HTML page with status 404', 'BAD_RESPONSE', page(404)],
  ['a 404 of another service', 'BAD_RESPONSE', json(404, '{"message":"no route"}')],
  ['a redirection to a login', 'BAD_RESPONSE', { answer: { status: 302, headers: { location: 'http://login.invalid/' } } }],
  ['an empty body', 'BAD_RESPONSE', { answer: { status: 200 } }],
  ['an empty object', 'BAD_RESPONSE', json(200, '{}')],
  ['an empty list', 'BAD_RESPONSE', json(200, '[]')],
  ['malformed JSON', 'BAD_RESPONSE', json(200, '{"Documents":[{]}')],
  ['half of the answer as if it were all', 'BAD_RESPONSE', { cut: 'half-body', applied: true }],
  ['half of the answer and then nothing', 'CONNECTION_LOST', { cut: 'mid-body', applied: true }],
  ['the end of the connection', 'CONNECTION_LOST', { cut: 'before-answer' }],
  ['the end of the connection, the work done', 'CONNECTION_LOST', { cut: 'before-answer', applied: true }],
  ['an HTML page, the work done', 'BAD_RESPONSE', page(200, true)],
  ['a 503 of a load balancer, the work done', 'UNAVAILABLE', page(503, true)],
  ['401', 'UNAUTHORIZED', refusal(401)],
  ['403', 'FORBIDDEN', refusal(403)],
  ['403 with sub-status 5', 'TOKEN_EXPIRED', refusal(403, { 'x-ms-substatus': '5' })],
  ['429', 'THROTTLED', refusal(429, { 'x-ms-retry-after-ms': '40' })],
  ['500', 'UNAVAILABLE', refusal(500)],
  ['503', 'UNAVAILABLE', refusal(503)],
  ['507', 'UNAVAILABLE', refusal(507)],
];

/** What the engine is left waiting for. */
function stateOf(code: ErrorCode): SyncState {
  const { category } = ERROR_CODES[code];
  return category === 'auth' ? 'auth' : category === 'connection' ? 'offline' : 'idle';
}

interface Scene {
  readonly cloud: Cloud;
  readonly proxy: FaultProxy;
  readonly device: Device;
}

/** A device that is in step with the server, with a proxy in between. */
async function openScene(): Promise<Scene> {
  const cloud = await openCloud();
  for (const id of ['kept', 'shared', 'theirs']) {
    await cloud.sdk.items.create({ id, owner: OWNER, text: 'first' });
  }
  const proxy = await openFaultProxy(cloud.server.url);
  const device = await openDevice({ endpoint: proxy.url, path: ':memory:', pageItems: 2 });
  expect(outcomeOf(await device.engine.sync())).toBe('complete');
  return { cloud, proxy, device };
}

/** Only requests of some kinds come to harm. */
function only(kinds: readonly RequestKind[], fault: WireFault): (seen: RequestKind) => WireFault | undefined {
  return (seen) => (kinds.includes(seen) ? fault : undefined);
}

/** Fails the way the case says, twice, without losing or losing track of anything; then all is well and both sides are equal. */
async function expectFailsAndRecovers(
  { cloud, proxy, device }: Scene,
  kinds: readonly [RequestKind, ...RequestKind[]],
  expected: { readonly code: ErrorCode; readonly fault: WireFault },
  run: () => Promise<unknown>,
): Promise<void> {
  const held = await onDevice(device);
  const before = await pendingOf(device);
  proxy.plan(only(kinds, expected.fault));
  for (let round = 0; round < 2; round += 1) {
    await run();
    const { state, lastRun } = await device.engine.status();
    expect([lastRun?.outcome, lastRun?.error?.code, state]).toEqual(['failed', expected.code, stateOf(expected.code)]);
    expect(lastRun?.error?.message).not.toContain('hotel');
    expect(lastRun?.error?.retryAfterMs).toBe(expected.code === 'THROTTLED' ? 40 : undefined);
    const pending = await pendingOf(device);
    expect(pending.burned).toBe(0);
    expect(before.ids).toEqual(expect.arrayContaining([...pending.ids]));
    expect(Object.keys(await onDevice(device))).toEqual(expect.arrayContaining(Object.keys(held)));
  }
  expect(proxy.seen[kinds[0]]).toBeGreaterThan(0);
  proxy.plan();
  expect(outcomeOf(await device.engine.reconcile())).toBe('complete');
  expect(await onDevice(device)).toEqual(await atServer(cloud));
  expect(await device.engine.status()).toMatchObject({ state: 'idle', pending: 0, rejected: 0 });
}

describe('a push that is answered with', () => {
  test.each(CASES)('%s ends as %s, keeps everything, and the next run converges', async (_name, code, fault) => {
    const scene = await openScene();
    const { cloud, device } = scene;
    await device.notes.upsert({ id: 'shared', owner: OWNER, text: 'edited offline' });
    await device.notes.create({ id: 'new', owner: OWNER, text: 'written offline' });
    await device.notes.delete('theirs', OWNER);
    await expectFailsAndRecovers(scene, ['batch'], { code, fault }, () => device.engine.sync());
    expect(await atServer(cloud)).toEqual({ kept: 'first', new: 'written offline', shared: 'edited offline' });
    // What the server had applied unseen is recognised as one's own, not taken for the edit of another.
    expect(await device.engine.journal()).toEqual([]);
  });
});

describe('a pull that is answered with', () => {
  test.each(CASES)('%s ends as %s, keeps everything, and the next run converges', async (_name, code, fault) => {
    const scene = await openScene();
    const { cloud, device } = scene;
    for (let index = 0; index < 5; index += 1) {
      await cloud.sdk.items.create({ id: `more-${index}`, owner: OWNER, text: 'by another' });
    }
    await device.notes.create({ id: 'new', owner: OWNER, text: 'written offline' });
    await expectFailsAndRecovers(scene, ['changes'], { code, fault }, () => device.engine.sync());
    expect(Object.keys(await onDevice(device)).length).toBe(9);
  });
});

describe('a reconciliation that is answered with', () => {
  test.each(CASES)('%s ends as %s and takes nothing for deleted', async (_name, code, fault) => {
    const scene = await openScene();
    await scene.cloud.sdk.item('theirs', OWNER).delete();
    await expectFailsAndRecovers(scene, ['query'], { code, fault }, () => scene.device.engine.reconcile());
    expect(Object.keys(await onDevice(scene.device))).toEqual(['kept', 'shared']);
  });
});

describe('the reading of a conflict that is answered with', () => {
  test.each(CASES)('%s ends as %s and decides nothing', async (_name, code, fault) => {
    const scene = await openScene();
    const { cloud, device } = scene;
    await device.notes.upsert({ id: 'shared', owner: OWNER, text: 'edited offline' });
    await cloud.sdk.item('shared', OWNER).replace({ id: 'shared', owner: OWNER, text: 'by another' });
    // The feed as well: where only single reads are refused, the pull of the same run brings the other version and decides by it.
    await expectFailsAndRecovers(scene, ['read', 'changes'], { code, fault }, async () => {
      await device.engine.sync();
      expect(await device.engine.journal()).toEqual([]);
      expect((await onDevice(device))['shared']).toBe('edited offline');
    });
    expect((await device.engine.journal()).length).toBe(1);
  });
});

describe('the first contact that is answered with', () => {
  test.each(CASES)('%s ends as %s, and the next run converges', async (_name, code, fault) => {
    const cloud = await openCloud();
    await cloud.sdk.items.create({ id: 'theirs', owner: OWNER, text: 'first' });
    const proxy = await openFaultProxy(cloud.server.url);
    const device = await openDevice({ endpoint: proxy.url, path: ':memory:' });
    await device.notes.create({ id: 'new', owner: OWNER, text: 'written offline' });
    await expectFailsAndRecovers({ cloud, proxy, device }, ['definition'], { code, fault }, () => device.engine.sync());
    expect(Object.keys(await atServer(cloud))).toEqual(['new', 'theirs']);
  });
});

describe('a remote that never answers', () => {
  test.each([true, false])(
    'is TIMEOUT in a push that was applied: %s, and what became of it is found out by the next run',
    async (applied) => {
      const cloud = await openCloud();
      const proxy = await openFaultProxy(cloud.server.url);
      const device = await openDevice({ endpoint: proxy.url, path: ':memory:', requestTimeoutMs: 250 });
      expect(outcomeOf(await device.engine.sync())).toBe('complete');
      await device.notes.create({ id: 'new', owner: OWNER, text: 'written offline' });
      proxy.plan(only(['batch'], { cut: 'never', applied }));
      expect(outcomeOf(await device.engine.sync())).toBe('TIMEOUT');
      expect((await device.engine.status()).state).toBe('offline');
      expect(await pendingOf(device)).toEqual({ ids: ['new'], burned: 0 });
      expect(Object.keys(await atServer(cloud))).toEqual(applied ? ['new'] : []);
      // Edited again before anybody knows.
      await device.notes.upsert({ id: 'new', owner: OWNER, text: 'edited offline' });
      proxy.plan();
      expect(outcomeOf(await device.engine.sync())).toBe('complete');
      expect(await atServer(cloud)).toEqual({ new: 'edited offline' });
      expect(await onDevice(device)).toEqual({ new: 'edited offline' });
      expect(await device.engine.status()).toMatchObject({ pending: 0, conflicts: 0 });
    },
  );
});

describe('a document that the remote cannot take', () => {
  test('is set aside as TOO_LARGE with all it holds, the others go, and it goes too once it is repaired', async () => {
    const { cloud, device } = await openScene();
    // Within 2 MB on the device; what sync adds for the remote makes it more.
    await device.notes.create({ id: 'large', owner: OWNER, text: 'x'.repeat(2 * 1024 * 1024 - 60) });
    await device.notes.create({ id: 'small', owner: OWNER, text: 'written offline' });
    const report = await device.engine.sync();
    expect([outcomeOf(report), report.pushed, report.rejected]).toEqual([
      'complete',
      1,
      [{ container: 'notes', partitionKey: [OWNER], id: 'large', code: 'TOO_LARGE' }],
    ]);
    expect(Object.keys(await atServer(cloud))).toEqual(['kept', 'shared', 'small', 'theirs']);
    expect((await device.notes.read('large', OWNER))?.document.text?.length).toBe(2 * 1024 * 1024 - 60);
    const key = { container: 'notes', partitionKey: OWNER, id: 'large' };
    await device.engine.deadLetters.edit(key, { id: 'large', owner: OWNER, text: 'shorter' });
    expect(outcomeOf(await device.engine.sync())).toBe('complete');
    expect(await atServer(cloud)).toEqual(await onDevice(device));
  });
});

describe('a first open that needs the remote', () => {
  test.each(CASES)('and is answered with %s fails as %s; the file opens as soon as the remote answers', async (_name, code, fault) => {
    const cloud = await openCloud();
    const proxy = await openFaultProxy(cloud.server.url);
    const { backend, remote, engine } = await openDevice({ endpoint: proxy.url, path: ':memory:' });
    await engine.close();
    const open = (): Promise<SyncEngine> =>
      SyncEngine.open({
        backend,
        user: 'ada',
        database: 'other',
        scope: [{ container: 'notes', partitionKey: OWNER }],
        remote: (container) => remote.container('app', container),
      });
    proxy.plan(only(['definition'], fault));
    await expect(open()).rejects.toMatchObject({ code });
    proxy.plan();
    const again = await open();
    expect(outcomeOf(await again.sync())).toBe('complete');
    await again.close();
  });
});

describe('a line that fails at random', () => {
  test('ends equal all the same, with every edit there once', async () => {
    const { cloud, proxy, device } = await openScene();
    const other = await openDevice({ endpoint: proxy.url, path: ':memory:', name: 'tablet' });
    let random = 20_261_120;
    const next = (limit: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return Math.floor((random / 2 ** 32) * limit);
    };
    const faults = CASES.map(([, , fault]) => fault);
    const seen = new Set<string>();
    proxy.plan(() => (next(3) === 0 ? faults[next(faults.length)] : undefined));
    for (let round = 0; round < 60; round += 1) {
      const one = round % 2 === 0 ? device : other;
      await one.notes.upsert({ id: `note-${next(12)}`, owner: OWNER, text: `round ${round}` });
      await one.notes.create({ id: `only-${round}`, owner: OWNER, text: 'never edited' });
      seen.add(outcomeOf(await one.engine.sync()));
    }
    proxy.plan();
    for (const one of [device, other, device]) {
      expect(outcomeOf(await one.engine.sync())).toBe('complete');
    }
    const held = await atServer(cloud);
    expect(Object.keys(held).filter((id) => id.startsWith('only-')).length).toBe(60);
    expect(await onDevice(device)).toEqual(held);
    expect(await onDevice(other)).toEqual(held);
    expect([...seen]).toEqual(expect.arrayContaining(['complete', 'BAD_RESPONSE', 'CONNECTION_LOST', 'UNAVAILABLE']));
  });
});

describe('a remote that is not the right one', () => {
  async function expectRefused(device: Device, code: ErrorCode): Promise<void> {
    await device.notes.upsert({ id: 'mine', owner: OWNER, text: 'written offline' });
    expect(outcomeOf(await device.engine.sync())).toBe(code);
    expect((await device.engine.status()).state).toBe(stateOf(code));
    expect(await pendingOf(device)).toEqual({ ids: ['mine'], burned: 0 });
    await device.close();
  }

  test('a wrong key, a wrong database, a wrong path and a wrong server each say so; with the right ones the same file syncs', async () => {
    const cloud = await openCloud();
    const path = `${temporaryFolder()}/device.sqlite`;
    const endpoint = cloud.server.url;
    const other = http.createServer((_request, response) => response.writeHead(404, { 'content-type': 'text/html' }).end(HTML));
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void other.close());
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;

    await expectRefused(await openDevice({ endpoint, path, key: Buffer.from('another key').toString('base64') }), 'UNAUTHORIZED');
    await expectRefused(await openDevice({ endpoint, path, remoteDatabase: 'nothing' }), 'NOT_FOUND');
    await expectRefused(await openDevice({ endpoint: `${endpoint}/some/where`, path }), 'NOT_FOUND');
    await expectRefused(await openDevice({ endpoint: elsewhere, path }), 'BAD_RESPONSE');
    await new Promise((resolve) => {
      other.close(resolve);
      other.closeAllConnections();
    });
    await expectRefused(await openDevice({ endpoint: elsewhere, path }), 'UNREACHABLE');

    const device = await openDevice({ endpoint, path });
    expect(outcomeOf(await device.engine.sync())).toBe('complete');
    expect(await atServer(cloud)).toEqual({ mine: 'written offline' });
  });

  test('a server that is stopped in the middle of a sync and started again on its port', async () => {
    const cloud = await openCloud();
    let stopping: Promise<void> | undefined;
    const device = await openDevice({
      endpoint: cloud.server.url,
      path: ':memory:',
      probe: (point) => {
        stopping ??= point === 'before-send' ? cloud.server.close() : undefined;
        return stopping;
      },
    });
    await device.notes.create({ id: 'mine', owner: OWNER, text: 'written offline' });
    const report = await device.engine.sync();
    expect([report.outcome, report.error?.category]).toEqual(['failed', 'connection']);
    expect(await pendingOf(device)).toEqual({ ids: ['mine'], burned: 0 });

    const again = await startServer({ backend: cloud.backend, port: cloud.server.port });
    onTestFinished(() => again.close());
    expect(outcomeOf(await device.engine.sync())).toBe('complete');
    expect(await atServer(cloud)).toEqual({ mine: 'written offline' });
    expect(await device.engine.journal()).toEqual([]);
  });
});
