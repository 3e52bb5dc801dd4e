import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { ask, endlessQuery, startServer, temporaryFolder } from './embedded-programs.ts';

const isRoot = process.getuid?.() === 0;

describe('a temporary server', () => {
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await startEmbeddedPostgres({ settings: { work_mem: '7MB' } });
  });
  afterAll(() => server.stop());

  test('is UTF-8 ordered by code point, in UTC, with the settings given', async () => {
    const row = await ask(
      server.connectionString,
      `SELECT current_setting('server_encoding') AS encoding, current_setting('TimeZone') AS zone, current_setting('work_mem') AS work_mem,
        (SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'ä', 'a', 'B', U&'\\+010000', U&'\\FFFF']) AS x) AS ordered`,
    );
    expect(row).toEqual({ encoding: 'UTF8', zone: 'UTC', work_mem: '7MB', ordered: 'Babä\uFFFF\u{10000}' });
  });

  test('is not durable, for speed', async () => {
    const row = await ask(
      server.connectionString,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('full_page_writes') AS pages`,
    );
    expect(row).toEqual({ fsync: 'off', commit: 'off', pages: 'off' });
  });

  test('listens on loopback only, behind a password', async () => {
    expect(
      await ask(
        server.connectionString,
        `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets`,
      ),
    ).toEqual({ addresses: '127.0.0.1', sockets: '' });
    const { password } = new URL(server.connectionString);
    expect(password).toMatch(/^[0-9a-f]{48}$/u);
    await expect(ask(server.connectionString.replace(password, 'wrong'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const stored = await ask(
      server.connectionString,
      `SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = 'postgres'`,
    );
    expect(stored).toEqual({ scram: true });
  });

  test('keeps what callers get wrong out of its log', async () => {
    await expect(ask(server.connectionString, `SELECT 'a secret' FROM missing`)).rejects.toMatchObject({ code: '42P01' });
    expect(readFileSync(join(server.folder, 'server.log'), 'utf8')).not.toMatch(/secret|missing/u);
  });

  test.runIf(isRoot && process.platform === 'linux')('does not run as root when we do', async () => {
    const text = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    expect(text).not.toMatch(/^Uid:\s+0\s/mu);
    expect(text).toMatch(/^Groups:\s*$/mu);
    expect(statSync(join(server.folder, 'cluster', 'data')).uid).not.toBe(0);
    expect(statSync(join(server.folder, 'cluster', 'data')).mode & 0o777).toBe(0o700);
  });
});

test('stop takes the temporary folder away, and may be called again', async () => {
  const server = await startEmbeddedPostgres();
  expect(existsSync(server.folder)).toBe(true);
  await Promise.all([server.stop(), server.stop({ mode: 'immediate' })]);
  await server.stop();
  expect(existsSync(server.folder)).toBe(false);
  await expect(ask(server.connectionString, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('stop ends sessions that are open', async () => {
  const server = await startEmbeddedPostgres();
  const { ended } = await endlessQuery(server.connectionString);
  await server.stop();
  expect(await ended).toMatchObject({ code: '57P01' });
});

describe('a folder', () => {
  test('keeps data and password from one start to the next, also where the server was killed', async () => {
    const folder = join(temporaryFolder(), 'below', 'data');
    const first = await startServer({ folder });
    await ask(first.connectionString, `CREATE TABLE kept AS SELECT 'first' AS text`);
    expect(await ask(first.connectionString, `SELECT current_setting('fsync') AS fsync`)).toEqual({ fsync: 'on' });
    await first.stop();

    const second = await startServer({ folder });
    expect(new URL(second.connectionString).password).toBe(new URL(first.connectionString).password);
    expect(await ask(second.connectionString, 'SELECT text FROM kept')).toEqual({ text: 'first' });
    await ask(second.connectionString, `UPDATE kept SET text = 'second'`);
    // Sessions that are under way must not keep the folder from the next server.
    const { ended } = await endlessQuery(second.connectionString);
    await second.kill();
    expect((await ended).message).toMatch(/terminated|ECONNRESET/u);

    const third = await startServer({ folder });
    expect(await ask(third.connectionString, 'SELECT text FROM kept')).toEqual({ text: 'second' });
    await third.stop({ mode: 'immediate' });
    await second.stop();
    const fourth = await startServer({ folder });
    expect(await ask(fourth.connectionString, 'SELECT text FROM kept')).toEqual({ text: 'second' });
  });

  test('shows its password and its log to nobody else', async () => {
    const folder = temporaryFolder();
    await startServer({ folder, durable: false });
    const modeOf = (...path: string[]): number => statSync(join(folder, ...path)).mode & 0o777;
    expect(modeOf('cluster')).toBe(0o700);
    expect(modeOf('cluster', 'password')).toBe(0o600);
    expect(modeOf('server.log')).toBe(0o600);
    expect(statSync(join(folder, 'cluster', 'password')).uid).toBe(process.getuid?.());
    expect(readdirSync(folder).sort()).toEqual(['cluster', 'server.log']);
  });

  test('is durable unless told otherwise', async () => {
    const server = await startServer({ folder: temporaryFolder(), durable: false });
    expect(await ask(server.connectionString, `SELECT current_setting('fsync') AS fsync`)).toEqual({ fsync: 'off' });
  });
});

test('a start that is aborted leaves nothing', async () => {
  const parent = temporaryFolder();
  const folder = join(parent, 'below', 'data');
  for (const waitMs of [0, 30, 200]) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const start = startEmbeddedPostgres({ folder, signal: controller.signal });
    setTimeout(() => controller.abort(reason), waitMs);
    await expect(start).rejects.toBe(reason);
    expect(readdirSync(parent)).toEqual([]);
  }
  await expect(startEmbeddedPostgres({ folder, signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  expect(readdirSync(parent)).toEqual([]);
});

describe('what is refused', () => {
  test.each([
    { folder: '' },
    { folder: 'a\0b' },
    { port: -1 },
    { port: 1.5 },
    { port: 65_536 },
    { durable: 'yes' as never },
    { settings: { 'Not A Name': '1' } },
    { settings: { 'work_mem=1 -c fsync': 'off' } },
    { settings: { listen_addresses: '*' } },
    { settings: { work_mem: 5 as never } },
  ])('%j', async (options) => {
    await expect(startEmbeddedPostgres(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      await expect(startEmbeddedPostgres({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    } finally {
      other.close();
    }
  });

  test('a setting that the server does not take, with what it said and without the password', async () => {
    const folder = temporaryFolder();
    await (await startEmbeddedPostgres({ folder, durable: false })).stop();
    const failure = await startEmbeddedPostgres({ folder, settings: { work_mem: 'much' } }).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('work_mem') as string });
    expect((failure as Error).message).not.toContain(readFileSync(join(folder, 'cluster', 'password'), 'utf8').trim());
  });
});

test('a port that is asked for is the port', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => void probe.close(resolve));
  const server = await startServer({ port });
  expect(server.port).toBe(port);
  expect(new URL(server.connectionString).port).toBe(String(port));
});
