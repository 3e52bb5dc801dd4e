import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChangeFeedPolicy, ChangeFeedRetentionTimeSpan, type Container } from '@azure/cosmos';
import { Command } from 'commander';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { addRestoreCommand } from '../../src/cli/restore-command.ts';
import { addSnapshotCommand } from '../../src/cli/snapshot-command.ts';
import { ShiftableRuntime } from '../../src/core/shiftable-runtime.ts';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { admin } from '../server/admin/admin-client.ts';
import { serve } from '../server/served.ts';
import { CliProcess, idsOf, notesOf, runCli, sdkClient, serveCli, temporaryFolder } from './cli-process.ts';

/** Runs a command in this process, and gives what it printed. @throws what the command throws */
async function run(...args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride();
  addSnapshotCommand(program);
  addRestoreCommand(program);
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    log.mockRestore();
  }
  return printed.join('\n');
}

/** The code of a command that fails. */
async function codeOf(...args: readonly string[]): Promise<unknown> {
  return run(...args).then(
    () => 'none',
    (error: { code?: unknown }) => error.code,
  );
}

async function notesWithHistory(url: string): Promise<Container> {
  const { database } = await sdkClient(url).databases.create({ id: 'app' });
  const changeFeedPolicy = new ChangeFeedPolicy(ChangeFeedRetentionTimeSpan.fromMinutes(600));
  const { container } = await database.containers.create({ id: 'notes', partitionKey: '/owner', changeFeedPolicy });
  return container;
}

describe('perigee snapshot and restore, as processes', () => {
  test('of a store under a running server, back into that server, and into one that begins with it', async () => {
    const cwd = temporaryFolder();
    const first = await serveCli(['--store', 'data.sqlite'], { cwd });
    const notes = await notesOf(sdkClient(first.url));
    await notes.items.create({ id: 'a', owner: 'ada' });
    expect(await runCli(['snapshot', 'data.sqlite', '-o', 'notes.ndjson.gz'], { cwd })).toEqual({
      exit: 0,
      stdout: 'notes.ndjson.gz: 1 database, 2 containers, 2 documents\n',
      stderr: '',
    });
    const file = join(cwd, 'notes.ndjson.gz');
    expect(readFileSync(file).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await notes.items.create({ id: 'b', owner: 'ada' });

    const [replaced, second] = await Promise.all([
      runCli(['restore', file, first.url, '--replace', '--json'], { cwd }),
      serveCli(['--store', 'memory', '--restore', file], { cwd }),
    ]);
    expect([replaced.exit, replaced.stderr]).toEqual([0, '']);
    expect(JSON.parse(replaced.stdout)).toEqual({ databases: 1, containers: 2, documents: 2, changes: 0 });
    expect(await idsOf(notes)).toEqual(['a']);
    expect(await idsOf(await notesOf(sdkClient(second.url)))).toEqual(['a']);
    // Four programs, one after the other.
  }, 60_000);

  test('through a pipe, quietly', async () => {
    const cwd = temporaryFolder();
    const backend = await openSqliteBackend({ path: join(cwd, 'data.sqlite') });
    await backend.createDatabase('app');
    await backend.close();
    const piped = await runCli(['snapshot', 'data.sqlite'], { cwd });
    expect([piped.exit, piped.stderr]).toEqual([0, '']);
    const restored = await runCli(['restore', '-', 'copy.sqlite'], { cwd, input: piped.stdout });
    expect(restored).toEqual({ exit: 0, stdout: 'Restored 1 database, 0 containers, 0 documents.\n', stderr: '' });
  });
});

describe('a snapshot as of a time', () => {
  test('holds what a store and a server held then, and says where that is not known', async () => {
    const folder = temporaryFolder();
    const store = join(folder, 'data.sqlite');
    const backend = await openSqliteBackend({ path: store, runtime: new ShiftableRuntime() });
    const served = await serve({ backend });
    const notes = await notesWithHistory(served.server.url);
    await notes.items.create({ id: 'a', owner: 'ada' });
    const { nowMs } = (await admin(served, 'GET', 'clock')).body as { nowMs: number };
    await admin(served, 'POST', 'clock', { advanceMs: 3_600_000 });
    await notes.items.create({ id: 'b', owner: 'ada' });
    await notes.item('a', 'ada').delete();
    const then = new Date(nowMs + 1).toISOString();
    for (const source of [store, served.server.url]) {
      const file = join(folder, 'then.ndjson');
      await run('snapshot', source, '--as-of', then, '-o', file);
      await run('restore', file, join(folder, 'copy.sqlite'), '--replace');
      const copy = await openSqliteBackend({ path: join(folder, 'copy.sqlite') });
      const restored = await copy.container('app', 'notes');
      expect(await restored.query('SELECT VALUE c.id FROM c').toArray()).toEqual(['a']);
      await copy.close();
      expect(await codeOf('snapshot', source, '--as-of', '2001-01-01', '-o', file)).toBe('OUTSIDE_RETENTION');
      expect(existsSync(file)).toBe(true);
    }
  });
});

describe('a snapshot or restore that cannot be', () => {
  test('says why by code, and leaves files and stores as they were', async () => {
    const folder = temporaryFolder();
    const store = join(folder, 'data.sqlite');
    const backend = await openSqliteBackend({ path: store });
    const served = await serve({ backend });
    const notes = await notesOf(served.client());
    await notes.items.create({ id: 'a', owner: 'ada' });
    const { url } = served.server;
    const good = join(folder, 'good.ndjson');
    await run('snapshot', store, '-o', good);
    expect(JSON.parse(await run('snapshot', url, '-o', join(folder, 'same.ndjson'), '--json'))).toMatchObject({
      databases: 1,
      documents: 2,
    });
    const torn = join(folder, 'torn.ndjson');
    writeFileSync(torn, readFileSync(good).subarray(0, -30));
    const kept = join(folder, 'kept');
    writeFileSync(kept, 'as it was');
    const missing = join(folder, 'none');
    const closed = new URL(url);
    closed.port = '1';

    expect(await codeOf('snapshot', `sqlite:${missing}`, '-o', kept)).toBe('NOT_FOUND');
    expect(await codeOf('snapshot', 'memory', '-o', kept)).toBe('INVALID_OPTION');
    expect(await codeOf('snapshot', store, '--as-of', 'yesterday', '-o', kept)).toBe('INVALID_OPTION');
    expect(await codeOf('snapshot', store, '--json')).toBe('INVALID_OPTION');
    expect(await codeOf('snapshot', closed.href, '-o', kept)).toBe('UNREACHABLE');
    expect(await codeOf('snapshot', store, '-o', join(missing, 'file'))).toBe('STORE_READ_ONLY');
    expect(await codeOf('snapshot', store, '-o', folder)).toBe('STORE_READ_ONLY');
    expect(await codeOf('restore', missing, store)).toBe('NOT_FOUND');
    expect(await codeOf('restore', folder, store, '--replace')).toBe('STORE_IO');
    expect(await codeOf('restore', good, 'memory')).toBe('INVALID_OPTION');
    expect(await codeOf('restore', good, url)).toBe('CONFLICT');
    expect(await codeOf('restore', missing, url)).toBe('NOT_FOUND');
    for (const target of [store, url]) {
      expect([target, await codeOf('restore', torn, target, '--replace')]).toEqual([target, 'INVALID_SNAPSHOT']);
    }
    vi.stubEnv('PERIGEE_KEY', Buffer.from('another key').toString('base64'));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await codeOf('snapshot', url, '-o', kept)).toBe('UNAUTHORIZED');
    vi.unstubAllEnvs();
    expect(readFileSync(kept, 'utf8')).toBe('as it was');
    expect(await idsOf(notes)).toEqual(['a']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('what answers and is no server of Perigee is told, and no key is sent to it', async () => {
    const { createServer } = await import('node:http');
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(JSON.stringify(request.headers));
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html>not here</html>');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(await codeOf('snapshot', `http://127.0.0.1:${port}`, '-o', join(temporaryFolder(), 'file'))).toBe('BAD_RESPONSE');
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toContain(WELL_KNOWN_KEY.slice(0, 20));
  });

  test('a certificate that nobody trusts is told from a server that is not there, with what to do', async () => {
    const { server } = await serve({ https: true });
    await expect(run('snapshot', server.url, '-o', join(temporaryFolder(), 'file'))).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  test('Ctrl-C in the middle leaves no file and what there was, and exits with 130', async () => {
    const cwd = temporaryFolder();
    const backend = await openSqliteBackend({ path: join(cwd, 'data.sqlite') });
    await backend.createDatabase('app');
    await backend.close();
    // Standard input that goes on without end: the restore waits for more.
    const cli = new CliProcess(['restore', '-', 'data.sqlite', '--replace'], { cwd, keepInput: true });
    await expect.poll(() => existsSync(join(cwd, 'data.sqlite-wal')), { timeout: 20_000 }).toBe(true);
    const { exit, stdout, stderr } = await cli.stop('SIGINT');
    expect([exit, stdout]).toEqual([130, '']);
    expect(stderr).toContain('interrupted; nothing was restored.');
  });
});
