import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawDatabase as Database } from '../support/raw-database.ts';
import { describe, expect, test } from 'vitest';
import { runCli, serveCli, temporaryFolder } from './cli-process.ts';

describe('help', () => {
  test('of the program names every command, and of a command every option with its default', async () => {
    const runs = await Promise.all([runCli(['--help']), runCli(['serve', '--help']), runCli(['copy', '--help'])]);
    expect(runs.map(({ exit, stderr }) => [exit, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    const [program, serve, copy] = runs.map(({ stdout }) => stdout.replaceAll(/\s+/gu, ' '));
    expect(program).toContain('Usage: perigee [options] [command]');
    expect(program).toContain('serve [options] Serve a store over the Cosmos DB protocol');
    expect(program).toContain('copy [options] <from> <to> Copy containers');
    for (const part of [
      '--database <id>',
      '--container <id>',
      '--overwrite',
      '--ttl <policy>',
      '--no-verify',
      '--restart',
      '--checkpoint <file>',
      'PERIGEE_FROM_KEY',
      'Exit code 65',
    ]) {
      expect(copy).toContain(part);
    }
    for (const part of [
      '--store <store>',
      'memory, sqlite:PATH',
      'file:FOLDER',
      'postgres://USER@HOST/DATABASE (password from PGPASSWORD)',
      'embedded-postgres[:FOLDER]',
      'sqlite:.perigee/data.sqlite',
      '--host <address>',
      '127.0.0.1',
      '--port <number>',
      '0 takes a free one',
      '8081',
      '--key <base64>',
      'PERIGEE_KEY',
      '--https',
      '--json',
      'Ctrl-C stops',
    ]) {
      expect(serve).toContain(part);
    }
  });

  test('the version is that of the package', async () => {
    const { default: manifest } = (await import('../../package.json', { with: { type: 'json' } })) as { default: { version: string } };
    expect(await runCli(['--version'])).toEqual({ exit: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });
});

describe('a command line that makes no sense', () => {
  test('exits with 64, says where help is, and is not repeated where it may hold a secret', async () => {
    const [nothing, command, option] = await Promise.all([runCli([]), runCli(['frobnicate']), runCli(['serve', '--kye=c2VjcmV0'])]);
    expect([nothing.exit, nothing.stdout, nothing.stderr]).toEqual([64, '', expect.stringContaining('Usage: perigee')]);
    expect(command).toEqual({
      exit: 64,
      stdout: '',
      stderr: "error: unknown command 'frobnicate'\nRun with --help to see what there is.\n",
    });
    expect(option).toEqual({ exit: 64, stdout: '', stderr: "error: unknown option '--kye=…'\nRun with --help to see what there is.\n" });
  });

  test('an option with a value that it cannot have exits with 78 and names what it can', async () => {
    const runs = await Promise.all([
      runCli(['serve', '--port', 'http']),
      runCli(['serve', '--store', 'mongodb://host:not base64!@host']),
      runCli(['serve', '--store', 'https://account.documents.azure.com:443/']),
      runCli(['serve', '--store', 'memory', '--key', 'not base64!']),
      runCli(['serve', '--store', 'memory', '--port', '0', '--host', '0.0.0.0']),
    ]);
    const said = [
      'a whole number from 0 to 65535',
      'a store of the kind "mongodb": use memory, sqlite:PATH',
      'Connect to it, or copy it',
      'it is not base64',
      'Give a key of your own, or listen on 127.0.0.1',
    ];
    runs.forEach(({ exit, stdout, stderr }, index) => {
      expect([exit, stdout, stderr]).toEqual([78, '', expect.stringContaining(said[index] as string)]);
      expect(stderr).toMatch(/^perigee: .* \[INVALID_OPTION\]\n.+\n$/u);
      expect(stderr).not.toContain('not base64!');
    });
  });
});

describe('a server that cannot start', () => {
  test('because the port is taken exits with 69 and says what to do', async () => {
    const { port } = await serveCli(['--store', 'memory']);
    const { exit, stdout, stderr } = await runCli(['serve', '--store', 'memory', '--port', String(port)]);
    expect([exit, stdout]).toEqual([69, '']);
    expect(stderr).toContain(`port ${port} of "127.0.0.1"`);
    expect(stderr).toContain('[PORT_IN_USE]');
    expect(stderr).toContain('Choose another port, or 0 for a free one.');
  });

  test('because of its file exits with 74, names the file, and leaves it as it was', async () => {
    const folder = temporaryFolder();
    const text = join(folder, 'notes.txt');
    writeFileSync(text, 'These are notes. '.repeat(900));
    const newer = join(folder, 'newer.db');
    const raw = new Database(newer);
    raw.exec('PRAGMA application_id = 1346720327; PRAGMA user_version = 1000; CREATE TABLE x (y)');
    raw.close();
    const cases: readonly (readonly [path: string, code: string])[] = [
      [text, 'STORE_CORRUPT'],
      [newer, 'STORE_TOO_NEW'],
      [join(text, 'below', 'data.sqlite'), 'STORE_READ_ONLY'],
      ['/proc/none/data.sqlite', 'STORE_READ_ONLY'],
    ];
    const runs = await Promise.all(cases.map(([path]) => runCli(['serve', '--port', '0', '--store', `sqlite:${path}`])));
    runs.forEach(({ exit, stdout, stderr }, index) => {
      const [path, code] = cases[index] as (typeof cases)[number];
      expect([exit, stdout, stderr]).toEqual([74, '', expect.stringContaining(`[${code}]`)]);
      expect(stderr).toContain(path.includes('data.sqlite') ? path.slice(0, -'/data.sqlite'.length) : path);
    });
  });
});
