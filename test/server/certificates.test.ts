import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CosmosClient } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { keptCertificate } from '../../src/server/kept-certificate.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { serve } from './served.ts';

const run = promisify(execFile);
const NAMES = ['localhost', '127.0.0.1'];
const DAY_MS = 24 * 60 * 60 * 1000;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-certs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The code with which a client of Node refuses, or the status. */
function visit(url: string, ca?: string): Promise<string | number> {
  return new Promise((resolve) => {
    get(`${url}/healthz`, { agent: false, ...(ca === undefined ? {} : { ca }) }, (response) => {
      response.resume();
      resolve(response.statusCode as number);
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('a server with TLS', () => {
  test('works with a client that trusts its certificate, and one that does not says why as with the official emulator', async () => {
    const { server } = await serve({ https: true });
    const certificate = server.certificate as string;
    expect(await visit(server.url)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await visit(server.url, certificate)).toBe(200);
    expect(await visit(server.url.replace('127.0.0.1', 'localhost'), certificate)).toBe(200);
    const agent = new Agent({ ca: certificate, keepAlive: true });
    const client = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY, agent });
    onTestFinished(() => {
      client.dispose();
      agent.destroy();
    });
    expect((await client.databases.create({ id: 'app' })).statusCode).toBe(201);
    const doubting = new CosmosClient({
      endpoint: server.url,
      key: WELL_KNOWN_KEY,
      connectionPolicy: { enableBackgroundEndpointRefreshing: false },
    });
    await expect(doubting.databases.create({ id: 'other' })).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    doubting.dispose();
  });

  test('gives its certificate to whoever asks, and programs trust it from a file', async () => {
    const { server } = await serve({ https: true, allowedHosts: ['emulator.test', '*.apps.test'] });
    const folder = temporaryFolder();
    const file = join(folder, 'emulator.pem');
    const port = new URL(server.url).port;
    await run('curl', ['-sS', '--insecure', `${server.url}/_explorer/emulator.pem`, '-o', file]);
    expect(readFileSync(file, 'utf8')).toBe(server.certificate);
    for (const host of ['localhost', 'emulator.test', 'a.apps.test']) {
      const { stdout } = await run('curl', [
        '-sS',
        '--cacert',
        file,
        '--resolve',
        `${host}:${port}:127.0.0.1`,
        `https://${host}:${port}/healthz`,
      ]);
      expect(stdout).toBe('{"status":"ok"}');
    }
    const program = `fetch('${server.url}/readyz').then(async (answer) => console.log(await answer.text()))`;
    const { stdout } = await run(process.execPath, ['-e', program], { env: { ...process.env, NODE_EXTRA_CA_CERTS: file } });
    expect(stdout).toBe('{"status":"ready"}\n');
    // Whoever trusts it trusts nothing that its key could sign.
    expect(new X509Certificate(readFileSync(file)).ca).toBe(false);
  });

  test('takes the certificate of its owner', async () => {
    const folder = temporaryFolder();
    const mine = await keptCertificate(folder, NAMES, new SimulatedRuntime({ startMs: Date.now() }));
    const { server } = await serve({ https: mine });
    expect(server.certificate).toBe(mine.cert);
    expect(await visit(server.url, mine.cert)).toBe(200);
  });

  test('without TLS there is none to give', async () => {
    const { server } = await serve();
    expect(server.certificate).toBeUndefined();
    expect((await fetch(`${server.url}/_explorer/emulator.pem`)).status).toBe(404);
    expect((await fetch(`${server.url}/_explorer/emulator.pem`, { method: 'POST' })).status).toBe(405);
  });
});

describe('a certificate that is kept', () => {
  test('is the same at the next start, and its key is for its owner alone', async () => {
    const folder = join(temporaryFolder(), 'deep', 'certs');
    const first = await serve({ https: { folder } });
    const second = await serve({ https: { folder } });
    expect(second.server.certificate).toBe(first.server.certificate);
    expect(readdirSync(folder).toSorted()).toEqual(['emulator-key.pem', 'emulator.pem']);
    expect(readFileSync(join(folder, 'emulator.pem'), 'utf8')).toBe(first.server.certificate);
    expect(statSync(join(folder, 'emulator-key.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await visit(first.server.url, second.server.certificate)).toBe(200);
  });

  test('is made anew before it ends, for a name that it is not for, and where it cannot be used', async () => {
    const folder = temporaryFolder();
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const first = await keptCertificate(folder, NAMES, runtime);
    await runtime.advance(760 * DAY_MS);
    expect(await keptCertificate(folder, NAMES, runtime)).toEqual(first);
    await runtime.advance(20 * DAY_MS);
    const second = await keptCertificate(folder, NAMES, runtime);
    expect(second.cert).not.toBe(first.cert);
    expect(Date.parse(new X509Certificate(second.cert).validTo)).toBeGreaterThan(runtime.nowMs() + 700 * DAY_MS);
    const third = await keptCertificate(folder, [...NAMES, 'emulator.test', '10.0.0.1'], runtime);
    expect(third.cert).not.toBe(second.cert);
    // One that is for more names will do for fewer.
    expect(await keptCertificate(folder, NAMES, runtime)).toEqual(third);
    for (const broken of ['', 'nothing', third.cert, first.key + third.cert]) {
      writeFileSync(join(folder, 'emulator-key.pem'), broken);
      const again = await keptCertificate(folder, NAMES, runtime);
      expect(new X509Certificate(again.cert).checkHost('localhost')).toBe('localhost');
      expect(await keptCertificate(folder, NAMES, runtime)).toEqual(again);
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('is one for all who start at the same time', async () => {
    const folder = temporaryFolder();
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const all = await Promise.all(Array.from({ length: 8 }, () => keptCertificate(folder, NAMES, runtime)));
    expect(new Set(all.map(({ cert }) => cert)).size).toBe(1);
    expect(readFileSync(join(folder, 'emulator.pem'), 'utf8')).toBe(all[0]?.cert);
  });

  test('cannot be kept where the folder is a file', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    await expect(keptCertificate(join(file, 'certs'), NAMES, new SimulatedRuntime())).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  });
});
