import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { ask, killAndWait, runProgram, startServer, temporaryFolder, until, untilGone } from './embedded-programs.ts';

/** Every file below a folder, with a digest of what is in it. */
function filesOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]));
}

describe('one server in a folder', () => {
  test('a second start is refused, in the same process and in another', async () => {
    const folder = temporaryFolder();
    const server = await startServer({ folder, durable: false });
    await ask(server.connectionString, 'CREATE TABLE kept AS SELECT 1 AS one');
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining(`process ${process.pid} `) as string,
    });
    const { said } = await runProgram(folder);
    expect(said).toMatchObject({ code: 'STORE_BUSY' });
    expect(await ask(server.connectionString, 'SELECT one FROM kept')).toEqual({ one: 1 });
  });

  test('of many starts at once exactly one has a server', async () => {
    const folder = temporaryFolder();
    const starts = await Promise.allSettled(Array.from({ length: 4 }, () => startServer({ folder, durable: false })));
    const failures = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as { code: string }] : []));
    expect(failures.map(({ code }) => code)).toEqual(['STORE_BUSY', 'STORE_BUSY', 'STORE_BUSY']);
    expect(readdirSync(folder).sort()).toEqual(['cluster', 'server.log']);
  });
});

describe('a server ends with the program that started it', () => {
  test.each(['by itself', 'killed'])('%s', async (how) => {
    const program = await runProgram('');
    expect(existsSync(program.said.folder)).toBe(true);
    const ended = once(program.process, 'exit');
    if (how === 'killed') {
      program.process.kill('SIGKILL');
    } else {
      program.process.stdin?.end();
    }
    expect((await ended)[0]).toBe(how === 'killed' ? null : 0);
    await untilGone(program.said.pid);
    await until(() => !existsSync(program.said.folder));
  });

  test.runIf(process.platform === 'linux')('not with a Ctrl-C that the program outlives', async () => {
    const program = await runProgram('');
    // The group of processes that a terminal would send it to.
    expect(readFileSync(`/proc/${program.said.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]).toBe(String(program.said.pid));
  });
});

describe('what an earlier run has left', () => {
  test('a server whose program and guard were killed is stopped, and its data is there', async () => {
    const folder = temporaryFolder();
    await (await startEmbeddedPostgres({ folder, durable: false })).stop();
    const { process: program, said, guard } = await runProgram(folder);
    await ask(said.connectionString, `CREATE TABLE kept AS SELECT 'orphan' AS text`);
    await killAndWait(guard as number);
    await killAndWait(program.pid as number);
    expect(await ask(said.connectionString, 'SELECT text FROM kept')).toEqual({ text: 'orphan' });

    const server = await startServer({ folder, durable: false });
    expect(server.pid).not.toBe(said.pid);
    expect(await ask(server.connectionString, 'SELECT text FROM kept')).toEqual({ text: 'orphan' });
    await untilGone(said.pid);
  });

  test('a pid file that names a process of another program is no obstacle', async () => {
    const folder = temporaryFolder();
    const first = await startServer({ folder, durable: false });
    await first.kill();
    const file = join(folder, 'cluster', 'data', 'postmaster.pid');
    const [, ...rest] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [String(process.pid), ...rest].join('\n'));
    const server = await startServer({ folder, durable: false });
    expect(await ask(server.connectionString, 'SELECT 1 AS one')).toEqual({ one: 1 });
  });

  test('a folder whose making was interrupted is made again', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'making-999999999.1-0a0b0c0d', 'data'), { recursive: true });
    await startServer({ folder, durable: false });
    expect(readdirSync(folder).sort()).toEqual(['cluster', 'server.log']);
  });
});

describe('a folder that is not ours is left alone', () => {
  test('other files in it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'letter.txt'), 'mine');
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('letter.txt') as string,
    });
    expect(readdirSync(folder)).toEqual(['letter.txt']);
  });

  test('a file in its place', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'mine');
    await expect(startEmbeddedPostgres({ folder: path })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await expect(startEmbeddedPostgres({ folder: join(path, 'below') })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  test('data of another version, or of none', async () => {
    const folder = temporaryFolder();
    await (await startEmbeddedPostgres({ folder, durable: false })).stop();
    const file = join(folder, 'cluster', 'data', 'PG_VERSION');
    const right = readFileSync(file);
    for (const [version, code] of [
      ['15', 'DRIVER_MISSING'],
      ['999', 'STORE_TOO_NEW'],
      ['?', 'STORE_CORRUPT'],
    ]) {
      writeFileSync(file, `${version}\n`);
      const before = filesOf(folder);
      await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({ code });
      expect(filesOf(folder)).toEqual(before);
    }
    writeFileSync(file, right);
    await startServer({ folder, durable: false });
  });

  test('a cluster without its password', async () => {
    const folder = temporaryFolder();
    await (await startEmbeddedPostgres({ folder, durable: false })).stop();
    writeFileSync(join(folder, 'cluster', 'password'), '');
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
