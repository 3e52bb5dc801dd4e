import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openFileBackend } from '../../src/stores/file/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { MAIN, runCli, temporaryFolder, type CliOptions, type Ended } from './cli-process.ts';

const ITEMS = 5000;
/** The program of util-linux that gives another one a terminal. */
const SCRIPT = 'script';
const folder = mkdtempSync(join(tmpdir(), 'perigee-query-'));
const path = join(folder, 'shop.sqlite');

beforeAll(async () => {
  const backend = await openSqliteBackend({ path });
  await backend.createDatabase('shop');
  await backend.createContainer('shop', { id: 'items', partitionKey: '/pk' });
  await backend.createContainer('shop', { id: 'empty', partitionKey: '/pk' });
  const store = await backend.container('shop', 'items');
  await store.bulk(
    Array.from({ length: ITEMS }, (_, n) => ({
      type: 'create' as const,
      document: { id: `item-${n}`, pk: `p${n % 5}`, n, secret: 'what-nobody-may-see' },
    })),
  );
  await backend.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function query(args: readonly string[], options?: CliOptions): Promise<Ended> {
  return runCli(['query', path, ...args], options);
}

const IN_ITEMS = ['--container', 'items'];

describe('perigee query', () => {
  test('writes ndjson into a pipe, and CSV or a table where asked', async () => {
    const [lines, csv, table, scoped] = await Promise.all([
      query([...IN_ITEMS, 'SELECT VALUE c.n FROM c']),
      query([...IN_ITEMS, '--format', 'csv', '--param', 'least=4997', 'SELECT c.id, c.n FROM c WHERE c.n >= @least ORDER BY c.n DESC;']),
      query([...IN_ITEMS, '-f', 'table', '-m', '2', 'SELECT c.id, c.n FROM c'], { env: { COLUMNS: '60', NO_COLOR: '' } }),
      query([...IN_ITEMS, '--partition-key', '"p3"', '--strict', 'SELECT VALUE COUNT(1) FROM c']),
    ]);
    expect(lines).toEqual({ exit: 0, stdout: Array.from({ length: ITEMS }, (_, n) => `${n}\n`).join(''), stderr: '' });
    expect(csv).toEqual({ exit: 0, stdout: 'id,n\r\nitem-4999,4999\r\nitem-4998,4998\r\nitem-4997,4997\r\n', stderr: '' });
    expect(table.stdout.split('\n').slice(0, 4)).toEqual(['id      n', '──────  ─', 'item-0  0', 'item-1  1']);
    expect(table.stdout).toMatch(/\(2 items, \d+ documents? looked at, [\d.]+ request units\)\n$/u);
    expect(scoped.stdout).toBe(`${ITEMS / 5}\n`);
  });

  test('explains, as text or as data, without a value of anybody', async () => {
    const text = 'SELECT TOP 3 c.id FROM c WHERE c.secret = "what-nobody-may-see" ORDER BY c.n';
    const [people, programs] = await Promise.all([
      query([...IN_ITEMS, '--explain', text]),
      query([...IN_ITEMS, '--explain', '--format', 'json', text]),
    ]);
    expect([people.exit, people.stderr]).toEqual([0, '']);
    expect(people.stdout).toMatch(/^PLAN +RUNS IN +ROWS\nlimit TOP \? +evaluator +3\n└─ /u);
    expect(people.stdout).toContain('Returned      3 items in 1 page');
    expect(JSON.parse(programs.stdout)).toMatchObject({ itemsReturned: 3, plan: { operation: 'limit', rows: 3 } });
    expect(people.stdout + programs.stdout).not.toContain('nobody');
  });

  test('has the engine measure only where there is one, and only an explanation', async () => {
    const [measured, alone] = await Promise.all([
      query([...IN_ITEMS, '--explain', '--analyze', 'SELECT * FROM c']),
      query([...IN_ITEMS, '--analyze', 'SELECT * FROM c']),
    ]);
    expect([measured.stdout, alone.stdout]).toEqual(['', '']);
    expect(measured.stderr).toContain('measuredPlans');
    expect(alone.stderr).toContain('Cannot analyze');
  });

  test('points at the character of an error, and says which container or parameter it lacks', async () => {
    const missing = join(folder, 'missing.sqlite');
    const [syntax, container, unknown, parameter, file, format] = await Promise.all([
      query([...IN_ITEMS, 'SELECT *\nFORM c']),
      query(['SELECT VALUE 1']),
      query(['--container', 'itmes', 'SELECT VALUE 1']),
      query([...IN_ITEMS, 'SELECT * FROM c WHERE c.id = @id']),
      runCli(['query', missing, 'SELECT VALUE 1']),
      query([...IN_ITEMS, '--format', 'xml', 'SELECT VALUE 1']),
    ]);
    expect([syntax.exit, syntax.stdout]).toEqual([65, '']);
    expect(syntax.stderr).toMatch(/^perigee: .*SC1001, line 2, column 1.*\[QUERY_SYNTAX\]\n {2}FORM c\n {2}\^{4}\n.+\n$/u);
    expect([container.exit, container.stderr]).toEqual([78, expect.stringContaining('--container. There is: "items", "empty".')]);
    expect([unknown.exit, unknown.stderr]).toEqual([65, expect.stringContaining('no container "itmes"')]);
    expect([parameter.exit, parameter.stderr]).toEqual([78, expect.stringContaining('--param id=json')]);
    expect([file.exit, file.stderr]).toEqual([65, expect.stringContaining('there is no such file')]);
    expect(existsSync(missing)).toBe(false);
    expect(format.stderr).toContain('the formats are table, json, ndjson, csv');
  });

  test('ends quietly when its reader has seen enough', () => {
    const command = `"${process.execPath}" "${MAIN}" query "${path}" -c items "SELECT * FROM c"; echo "exit $?" >&2`;
    const { stdout, stderr } = spawnSync('sh', ['-c', `( ${command} ) | head -n 2`], {
      encoding: 'utf8',
    });
    expect(stdout.split('\n').length).toBe(3);
    expect(stderr).toBe('exit 0\n');
    const help = spawnSync('sh', ['-c', `( "${process.execPath}" "${MAIN}" query --help; echo "exit $?" >&2 ) | true`], {
      encoding: 'utf8',
    });
    expect(help.stderr).toBe('exit 0\n');
  });

  test('without a query runs what standard input holds, up to what fails', async () => {
    const script =
      '.containers\n.use shop/items\nSELECT VALUE MAX(c.n)\nFROM c -- ; not yet\n;SELECT VALUE "a;b";\n\n.param x=3\nSELECT VALUE @x\n\nselect value 7';
    const [whole, failing] = await Promise.all([
      query([], { input: script }),
      query(IN_ITEMS, { input: 'SELECT VALUE 1;\nSELECT FROM;\nSELECT VALUE 2;' }),
    ]);
    expect(whole).toEqual({ exit: 0, stdout: `  shop/items\n  shop/empty\n${ITEMS - 1}\n"a;b"\n3\n7\n`, stderr: '' });
    expect([failing.exit, failing.stdout]).toEqual([65, '1\n']);
    expect(failing.stderr).toContain('  SELECT FROM\n');
  });

  test('reads a folder that another process writes to, and leaves nothing in one', async () => {
    const shop = join(temporaryFolder(), 'files');
    mkdirSync(join(shop, 'shop'), { recursive: true });
    writeFileSync(join(shop, 'shop', 'items.jsonl'), '{"id":"a"}\n');
    const alone = await runCli(['query', `file:${shop}`, 'SELECT VALUE c.id FROM c']);
    expect(alone).toEqual({ exit: 0, stdout: '"a"\n', stderr: '' });
    expect(readdirSync(shop)).toEqual(['shop']);
    const writer = await openFileBackend({ folder: shop });
    try {
      const store = await writer.container('shop', 'items');
      await store.create({ id: 'b' });
      const beside = await runCli(['query', `file:${shop}`, 'SELECT VALUE c.id FROM c']);
      expect(beside).toEqual({ exit: 0, stdout: '"a"\n"b"\n', stderr: '' });
    } finally {
      await writer.close();
    }
  });

  test('reads an SQLite file that another process writes to, and leaves nothing beside one', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'shop.sqlite');
    const ask = (path = file) => runCli(['query', `sqlite:${path}`, 'SELECT VALUE c.id FROM c']);
    const backend = await openSqliteBackend({ path: file });
    await backend.createDatabase('shop');
    await backend.createContainer('shop', { id: 'items', partitionKey: '/pk' });
    const store = await backend.container('shop', 'items');
    await store.create({ id: 'a', pk: 'p' });
    expect(await ask()).toEqual({ exit: 0, stdout: '"a"\n', stderr: '' });
    await store.create({ id: 'b', pk: 'p' });
    await backend.close();
    const before = readFileSync(file);
    expect(await ask()).toEqual({ exit: 0, stdout: '"a"\n"b"\n', stderr: '' });
    expect(readdirSync(folder)).toEqual(['shop.sqlite']);
    expect(readFileSync(file).equals(before)).toBe(true);
    writeFileSync(join(folder, 'empty.sqlite'), '');
    const empty = await ask(join(folder, 'empty.sqlite'));
    expect([empty.exit, empty.stderr]).toEqual([74, expect.stringContaining('it is empty')]);
    expect(readFileSync(join(folder, 'empty.sqlite'))).toHaveLength(0);
  });

  test('lets no name, and no word of a server, drive the terminal', async () => {
    const evil = '\u001b]0;taken\u0007\u009b31m';
    const server = createServer((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json', 'x-ms-activity-id': '1' });
      response.end(JSON.stringify({ code: 'BadRequest', message: evil }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const fromServer = await runCli(['query', `http://127.0.0.1:${port}`, 'SELECT 1']);
    const file = join(temporaryFolder(), 'evil.sqlite');
    const backend = await openSqliteBackend({ path: file });
    await backend.createDatabase('shop');
    await backend.createContainer('shop', { id: `a${evil}`, partitionKey: '/pk' });
    await backend.createContainer('shop', { id: 'b', partitionKey: '/pk' });
    await backend.close();
    const [listed, named] = await Promise.all([runCli(['query', file], { input: '.containers\n' }), runCli(['query', file, 'SELECT 1'])]);
    expect([fromServer.exit === 0, listed.exit, named.exit]).toEqual([false, 0, 78]);
    for (const text of [fromServer.stderr, listed.stdout, named.stderr]) {
      expect(text).toContain('taken');
      expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
    }
  });

  test('its help is enough to use it', async () => {
    const { exit, stdout } = await runCli(['query', '--help']);
    expect(exit).toBe(0);
    for (const part of [
      '<store>',
      '--param <name=json>',
      '--explain',
      '--analyze',
      'table, json, ndjson or csv',
      '--database',
      '--container',
      '--partition-key',
      '--max',
      'PERIGEE_KEY',
      'RFC 4180',
      'a prompt',
    ]) {
      expect(stdout.replaceAll(/\s+/gu, ' ')).toContain(part);
    }
  });
});

/** The prompt on a terminal: `script` gives one to the child. */
class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #seen = '';
  #from = 0;

  constructor(args: readonly string[], state: string) {
    const command = [process.execPath, MAIN, 'query', ...args].map((word) => `'${word}'`).join(' ');
    this.#child = spawn(SCRIPT, ['-qec', command, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: state, TERM: 'xterm', NO_COLOR: '1' },
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#seen += chunk.toString();
      this.#child.emit('seen');
    });
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits until a text comes that did not come before. */
  async see(text: string): Promise<void> {
    for (;;) {
      const at = this.#seen.indexOf(text, this.#from);
      if (at !== -1) {
        this.#from = at + text.length;
        return;
      }
      await once(this.#child, 'seen', { signal: AbortSignal.timeout(15_000) }).catch(() => {
        throw new Error(`Waited for ${JSON.stringify(text)} after: ${JSON.stringify(this.#seen.slice(this.#from))}`);
      });
    }
  }

  async exit(): Promise<number | null> {
    const [code] = (await once(this.#child, 'close')) as [number | null];
    return code;
  }
}

describe('the prompt of perigee query', () => {
  const hasScript = spawnSync(SCRIPT, ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

  test('takes lines until ";", stops what runs at Ctrl-C, pages, and remembers', { timeout: 60_000 }, async ({ skip }) => {
    if (!hasScript) {
      skip('there is no util-linux script here to give the prompt a terminal');
    }
    const state = temporaryFolder();
    const terminal = new Terminal([path, '-c', 'items'], state);
    await terminal.see('shop/items> ');
    terminal.type('SELECT VALUE c.n\r');
    await terminal.see('> ');
    terminal.type('FROM c WHERE c.n = 4321;\r');
    await terminal.see('\n 4321\r');
    await terminal.see('(1 item, ');
    await terminal.see('shop/items> ');
    terminal.type('SELECT FORM');
    await terminal.see('FORM');
    terminal.type('\u0003');
    await terminal.see('^C');
    await terminal.see('shop/items> ');
    // Hours of work, unless it is stopped.
    const loops = ['a', 'b', 'd', 'e', 'f', 'g'].map((name) => `JOIN ${name} IN (SELECT VALUE [1, 2, 3, 4, 5, 6, 7, 8, 9])`).join(' ');
    terminal.type(`SELECT VALUE COUNT(1) FROM c ${loops};\r`);
    await terminal.see('COUNT(1)');
    await terminal.see(';');
    terminal.type('\u0003');
    await terminal.see('Stopped.');
    await terminal.see('shop/items> ');
    terminal.type('SELECT VALUE c.n FROM c;\r');
    await terminal.see('.more shows them');
    terminal.type('.more\r');
    await terminal.see('\n  199\r');
    await terminal.see('shop/items> ');
    terminal.type('.explain\r');
    await terminal.see('PLAN');
    await terminal.see('Returned');
    await terminal.see('shop/items> ');
    terminal.type('.use empty\r');
    await terminal.see('shop/empty> ');
    terminal.type('\u0004');
    expect(await terminal.exit()).toBe(0);

    const history = join(state, 'perigee', 'query-history');
    expect(readdirSync(join(state, 'perigee'))).toEqual(['query-history']);
    expect(statSync(history).mode & 0o777).toBe(0o600);
    expect(readFileSync(history, 'utf8').split('\n').slice(0, 2)).toEqual(['SELECT VALUE c.n', 'FROM c WHERE c.n = 4321;']);

    const again = new Terminal([path, '-c', 'items'], state);
    await again.see('shop/items> ');
    // The line before the last, by the key for "up".
    again.type('\u001b[A\u001b[A');
    await again.see('.explain');
    again.type('\u0003\u0004');
    expect(await again.exit()).toBe(0);
  });
});
