import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { postgresCapabilities } from '../../src/stores/postgres/postgres-capabilities.ts';
import { postgresForTests } from '../support/postgres.ts';
import { CliProcess, idsOf, notesOf, runCli, sdkClient, serveCli, temporaryFolder } from './cli-process.ts';

/** What the backend says of itself decides what is expected. */
const HAS_SNAPSHOTS: boolean = postgresCapabilities(true).snapshots;

/** A folder that the user of the server may enter, should we be root. */
function enterableFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

/** The address of a store in the PostgreSQL of the tests, and its password. */
async function freshAddress(): Promise<{ readonly address: string; readonly password: string; readonly place: string }> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  onTestFinished(() => dropSchemas(schema));
  const address = new URL(url);
  address.searchParams.set('schema', schema);
  // A PostgreSQL that was given may have its password elsewhere, or none: then it takes any.
  address.password ||= process.env['PGPASSWORD'] ?? 'taken-by-whoever-asks-for-none';
  return {
    address: address.href,
    password: address.password,
    place: `postgresql://${address.hostname}:${address.port || '5432'}${address.pathname}?schema=${schema}`,
  };
}

/** Whether a PostgreSQL refuses a wrong password. */
async function asksForPassword(address: URL): Promise<boolean> {
  const wrong = new URL(address);
  wrong.search = '';
  wrong.password = 'quite-wrong';
  const client = new pg.Client({ connectionString: wrong.href });
  try {
    await client.connect();
    return false;
  } catch {
    return true;
  } finally {
    await client.end();
  }
}

describe('--store embedded-postgres', () => {
  test('starts a PostgreSQL in the working folder, keeps its data there after any end, and leaves no process', async () => {
    const cwd = enterableFolder();
    const written: string[] = [];
    for (const [round, signal] of (['SIGTERM', 'SIGKILL', 'SIGINT'] as const).entries()) {
      const { cli, url, store } = await serveCli(['--store', 'embedded-postgres'], { cwd });
      expect(store).toBe(`${join(cwd, '.perigee', 'postgres')} (embedded PostgreSQL)`);
      const notes = await notesOf(sdkClient(url));
      expect(await idsOf(notes)).toEqual(written);
      await notes.items.create({ id: `note-${round}`, owner: 'ada' });
      written.push(`note-${round}`);
      expect(await cli.stop(signal)).toEqual({
        exit: signal === 'SIGKILL' ? 'SIGKILL' : 0,
        stdout: expect.stringMatching(/^\{[^\n]*\}\n$/u) as string,
        stderr: '',
      });
    }
    expect(readdirSync(join(cwd, '.perigee', 'postgres')).sort()).toEqual(['cluster', 'server.log']);
    expect(readdirSync(join(cwd, '.perigee', 'postgres', 'cluster', 'data'))).not.toContain('postmaster.pid');
  });

  test('the folder may be named; a query looks in beside a server, a second server is refused', async () => {
    const folder = join(enterableFolder(), 'data');
    const { cli, url } = await serveCli(['--store', `embedded-postgres:${folder}`]);
    await (await notesOf(sdkClient(url))).items.create({ id: 'one', owner: 'ada' });
    const query = ['query', `embedded-postgres:${folder}`, 'SELECT VALUE c.id FROM c'];
    expect(await runCli(query)).toEqual({ exit: 0, stdout: '"one"\n', stderr: '' });
    const second = await runCli(['serve', '--port', '0', '--store', `embedded-postgres:${folder}`]);
    expect(second).toMatchObject({ exit: 75, stderr: expect.stringContaining('[STORE_BUSY]') as string });
    // The query has left the server alone.
    expect(await idsOf(await notesOf(sdkClient(url)))).toEqual(['one']);
    expect((await cli.stop('SIGTERM')).exit).toBe(0);
    expect(await runCli(query)).toEqual({ exit: 0, stdout: '"one"\n', stderr: '' });
  });

  test('a folder that is not there is an error where there has to be one', async () => {
    const folder = join(enterableFolder(), 'missing');
    const { exit, stderr } = await runCli(['query', `embedded-postgres:${folder}`, 'SELECT 1']);
    expect([exit, stderr]).toEqual([65, expect.stringContaining('[NOT_FOUND]')]);
  });

  test('its password is told nowhere', async () => {
    const folder = join(enterableFolder(), 'data');
    const cli = new CliProcess(['serve', '--port', '0', '--store', `embedded-postgres:${folder}`]);
    await cli.firstLine();
    const password = readFileSync(join(folder, 'cluster', 'password'), 'utf8').trim();
    const pid = readFileSync(join(folder, 'cluster', 'data', 'postmaster.pid'), 'utf8').split('\n')[0] ?? '';
    expect(password).not.toBe('');
    if (process.platform === 'linux') {
      for (const file of ['cmdline', 'environ']) {
        expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toContain(password);
      }
    }
    const { exit, stdout, stderr } = await cli.stop('SIGTERM');
    expect(exit).toBe(0);
    expect(stdout).toContain(`store     ${folder} (embedded PostgreSQL)`);
    expect(stdout + stderr + readFileSync(join(folder, 'server.log'), 'utf8')).not.toContain(password);
  });
});

describe('--store postgres://', () => {
  test('serves a PostgreSQL, and other commands use it meanwhile; nobody sees the password', async () => {
    const { address, password, place } = await freshAddress();
    const { cli, url, store } = await serveCli(['--store', address]);
    expect(store).toBe(place);
    if (process.platform === 'linux') {
      expect(readFileSync(`/proc/${cli.pid}/cmdline`, 'utf8')).not.toContain(password);
    }
    await (await notesOf(sdkClient(url))).items.create({ id: 'one', owner: 'ada' });
    expect(await runCli(['query', address, 'SELECT VALUE c.id FROM c'])).toEqual({ exit: 0, stdout: '"one"\n', stderr: '' });
    const file = join(temporaryFolder(), 'copy.sqlite');
    expect((await runCli(['copy', address, file], { cwd: temporaryFolder() })).exit).toBe(0);
    const snapshot = join(temporaryFolder(), 'all.ndjson');
    const taken = await runCli(['snapshot', address, '-o', snapshot]);
    if (HAS_SNAPSHOTS) {
      expect(taken.exit).toBe(0);
      expect(readFileSync(snapshot, 'utf8')).toContain(String.raw`\"id\":\"one\"`);
    } else {
      expect(taken).toMatchObject({ exit: 65, stderr: expect.stringContaining('[NOT_SUPPORTED]') as string });
    }
    const { exit, stdout, stderr } = await cli.stop('SIGTERM');
    expect(exit).toBe(0);
    expect(stdout + stderr).not.toContain(password);
  });

  test('takes the password from PGPASSWORD, and tells of a wrong one without it', async () => {
    const { address, password } = await freshAddress();
    const bare = new URL(address);
    bare.password = '';
    const served = await serveCli(['--store', bare.href], { env: { PGPASSWORD: password } });
    expect((await served.cli.stop('SIGTERM')).exit).toBe(0);
    if (!(await asksForPassword(bare))) {
      console.log('The PostgreSQL of the tests asks for no password, so a wrong one was not tried.');
      return;
    }
    const { exit, stdout, stderr } = await runCli(['serve', '--port', '0', '--store', bare.href], { env: { PGPASSWORD: 'quite-wrong' } });
    expect([exit, stdout]).toEqual([77, '']);
    expect(stderr).not.toContain('quite-wrong');
  });

  test('a snapshot is restored into one', async () => {
    const { address } = await freshAddress();
    const file = join(temporaryFolder(), 'notes.sqlite');
    const { cli, url } = await serveCli(['--store', file]);
    await (await notesOf(sdkClient(url))).items.create({ id: 'one', owner: 'ada' });
    expect((await cli.stop('SIGTERM')).exit).toBe(0);
    const snapshot = join(temporaryFolder(), 'all.ndjson');
    expect((await runCli(['snapshot', file, '-o', snapshot])).exit).toBe(0);
    const restored = await runCli(['restore', snapshot, address]);
    if (HAS_SNAPSHOTS) {
      expect(restored.exit).toBe(0);
      expect(await runCli(['query', address, 'SELECT VALUE c.id FROM c'])).toMatchObject({ exit: 0, stdout: '"one"\n' });
    } else {
      expect(restored).toMatchObject({ exit: 65, stderr: expect.stringContaining('[NOT_SUPPORTED]') as string });
    }
  });

  test('is copied into from another store, and never to itself', async () => {
    const { address, password } = await freshAddress();
    const file = join(temporaryFolder(), 'notes.sqlite');
    const { cli, url } = await serveCli(['--store', file]);
    await (await notesOf(sdkClient(url))).items.create({ id: 'one', owner: 'ada' });
    expect((await cli.stop('SIGTERM')).exit).toBe(0);
    const copied = await runCli(['copy', file, address], { cwd: temporaryFolder() });
    expect(copied).toMatchObject({ exit: 0, stdout: expect.stringContaining('equal: 1 documents') as string });
    const other = new URL(address);
    other.searchParams.set('application_name', 'copy');
    const { exit, stderr } = await runCli(['copy', address, other.href]);
    expect([exit, stderr]).toEqual([78, expect.stringContaining('copy a store to itself')]);
    expect(stderr).not.toContain(password);
  });
});
