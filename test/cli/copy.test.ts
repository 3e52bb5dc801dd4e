import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CopyReport } from '../../src/copy/index.ts';
import { openFileBackend } from '../../src/stores/file/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { CliProcess, runCli, serveCli, temporaryFolder, type Ended } from './cli-process.ts';

/** A folder with two containers, one of them written by hand. */
function fixtures(): { readonly root: string; readonly folder: string } {
  const root = temporaryFolder();
  const folder = join(root, 'fixtures');
  mkdirSync(join(folder, 'shop'), { recursive: true });
  const orders = Array.from({ length: 250 }, (_, index) => ({
    id: `o${index}`,
    customer: `c${index % 7}`,
    total: index,
    text: 'ä😀\u0000',
  }));
  writeFileSync(join(folder, 'shop', 'orders.jsonl'), orders.map((order) => `${JSON.stringify(order)}\n`).join(''));
  writeFileSync(join(folder, 'shop', 'orders.container.json'), '{"partitionKey":["/customer","/id"],"uniqueKeys":[["/total"]]}');
  writeFileSync(join(folder, 'shop', 'plain.jsonl'), '{"id":"a"}\n{"id":"b","n":1}\n');
  return { root, folder };
}

/** The documents of a container's file without what the store added. */
function bodiesOf(...path: readonly string[]): string[] {
  return readFileSync(join(...path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/,"_ts":\d+,"_etag":"[^"]+"\}$/u, '}'));
}

/** Waits for something that a running command does. */
async function whileRunning(command: CliProcess, condition: () => boolean): Promise<void> {
  let ended: Ended | undefined;
  void command.ended().then((end) => (ended = end));
  while (!condition()) {
    if (ended !== undefined) {
      throw new Error(`The command ended with ${ended.exit}: ${ended.stdout}${ended.stderr}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

describe('perigee copy', () => {
  test('refuses a store as its own target, by whatever name', async () => {
    const { root, folder } = fixtures();
    symlinkSync(folder, join(root, 'link'));
    expect((await runCli(['copy', `file:${folder}`, 'first.db'], { cwd: root })).exit).toBe(0);
    linkSync(join(root, 'first.db'), join(root, 'second.db'));
    for (const [from, to] of [
      [`file:${folder}`, 'file:link'],
      ['first.db', 'sqlite:./first.db'],
      ['first.db', 'second.db'],
    ] as const) {
      const { exit, stderr } = await runCli(['copy', from, to], { cwd: root });
      expect([exit, stderr]).toEqual([78, expect.stringContaining('Cannot copy a store to itself')]);
    }
  });

  test('waits for a server that throttles, though nothing but time is to be waited for', { timeout: 120_000 }, async () => {
    const { root, folder } = fixtures();
    const throttled = { kind: 'status', status: 429, subStatus: 3200, retryAfterMs: 300 };
    writeFileSync(join(root, 'rules.json'), JSON.stringify({ rules: [{ count: 6, effect: throttled }] }));
    const served = await serveCli(['--store', 'memory', '--chaos', join(root, 'rules.json')]);
    const copied = await runCli(['copy', `file:${folder}`, served.url, '--json'], { cwd: root });
    expect([copied.exit, copied.stderr]).toEqual([0, '']);
    expect((JSON.parse(copied.stdout) as CopyReport).equal).toBe(true);
    expect(
      await (await fetch(new URL('/_perigee/chaos', served.url), { headers: { authorization: `Bearer ${WELL_KNOWN_KEY}` } })).json(),
    ).toMatchObject({
      rules: [{ fired: 6 }],
    });
  });

  test('from files to SQLite to a server to files: equal at every step and at the end', { timeout: 60_000 }, async () => {
    const { root, folder } = fixtures();
    const served = await serveCli(['--store', 'memory']);
    const steps = [`file:${folder}`, join(root, 'copy.db'), served.url, `file:${join(root, 'back')}`];
    for (const [index, from] of steps.slice(0, -1).entries()) {
      const copied = await runCli(['copy', from, steps[index + 1] as string, '--json'], { cwd: root });
      expect([copied.exit, copied.stderr]).toEqual([0, '']);
      const report = JSON.parse(copied.stdout) as CopyReport;
      expect(report.equal).toBe(true);
      expect(report.containers.map(({ container, created, comparison }) => [container, created, comparison?.targetDocuments])).toEqual([
        ['orders', 250, 250],
        ['plain', 2, 2],
      ]);
    }
    for (const name of ['orders', 'plain']) {
      expect(bodiesOf(root, 'back', 'shop', `${name}.jsonl`).toSorted()).toEqual(bodiesOf(folder, 'shop', `${name}.jsonl`).toSorted());
    }
    const definition = JSON.parse(readFileSync(join(root, 'back', 'shop', 'orders.container.json'), 'utf8')) as Record<string, unknown>;
    expect(definition).toMatchObject({ partitionKey: ['/customer', '/id'], uniqueKeys: [['/total']] });
    expect(readdirSync(join(root, '.perigee', 'copy'))).toEqual([]);
    // Reading fixtures leaves them as they were.
    expect(readdirSync(join(folder, 'shop')).toSorted()).toEqual(['orders.container.json', 'orders.jsonl', 'plain.jsonl']);

    const again = await runCli(['copy', `file:${folder}`, `file:${join(root, 'back')}`], { cwd: root });
    expect(again).toEqual({
      exit: 0,
      stdout:
        'shop/orders: 0 created, 250 unchanged; equal: 250 documents on both sides\nshop/plain: 0 created, 2 unchanged; equal: 2 documents on both sides\n',
      stderr: '',
    });
  });

  test('names what differs and exits with 65, and overwrites newer data only when told to', async () => {
    const { root, folder } = fixtures();
    const target = `file:${join(root, 'target')}`;
    const args = ['copy', `file:${folder}`, target, '--database', 'shop', '--container', 'plain'];
    expect((await runCli(args, { cwd: root })).exit).toBe(0);
    const backend = await openFileBackend({ folder: join(root, 'target') });
    const store = await backend.container('shop', 'plain');
    await store.replace({ id: 'a', changed: 'in the target' });
    await store.create({ id: 'own' });
    await backend.close();
    // The source's documents are as old as its file: older than what was written in the target since.
    utimesSync(join(folder, 'shop', 'plain.jsonl'), 1_700_000_000, 1_700_000_000);
    const differs = await runCli(args, { cwd: root });
    expect([differs.exit, differs.stderr]).toEqual([65, '']);
    expect(differs.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^shop\/plain: 0 created, 1 unchanged, 1 left, .*; DIFFERENT$/u) as string,
      '  differs: "a" in partition ["a"]',
      '  only in the target: "own" in partition ["own"]',
    ]);
    const forced = await runCli([...args, '--overwrite'], { cwd: root });
    expect(forced.stdout).toContain('only in the target: "own"');
    expect(bodiesOf(root, 'target', 'shop', 'plain.jsonl')).toEqual(['{"id":"a"}', '{"id":"b","n":1}', '{"id":"own"}']);
  });

  test('killed with SIGKILL again and again goes on where it stopped and ends equal', { timeout: 90_000 }, async () => {
    const root = temporaryFolder();
    const source = await openSqliteBackend({ path: join(root, 'source.db') });
    await source.createDatabase('app');
    await source.createContainer('app', { id: 'items', partitionKey: '/pk' });
    const items = await source.container('app', 'items');
    const total = 12_000;
    await items.bulk(
      Array.from({ length: total }, (_, index) => ({
        type: 'create',
        document: { id: `d${index}`, pk: index % 5, text: 'x'.repeat(300) },
      })),
    );
    const args = ['copy', join(root, 'source.db'), join(root, 'target.db'), '--json', '--checkpoint', join(root, 'mark.json')];
    const markOf = (): number => {
      const mark = existsSync(join(root, 'mark.json')) ? readFileSync(join(root, 'mark.json'), 'utf8') : '';
      return Number(/"documents":(\d+)/u.exec(mark)?.[1] ?? 0);
    };
    let kills = 0;
    for (let reached = 0; kills < 2; kills += 1) {
      const copy = new CliProcess(args, { cwd: root });
      await whileRunning(copy, () => markOf() > reached);
      reached = markOf();
      expect((await copy.stop('SIGKILL')).exit).toBe('SIGKILL');
      await items.upsert({ id: `d${kills}`, pk: kills % 5, text: 'changed between two runs' });
    }
    const last = await runCli(args, { cwd: root });
    const report = JSON.parse(last.stdout) as CopyReport;
    expect(report).toMatchObject({ equal: true, containers: [{ resumed: true, comparison: { targetDocuments: total } }] });
    expect(report.containers[0]?.created).toBeLessThan(total);
    expect(existsSync(join(root, 'mark.json'))).toBe(false);
    await source.close();
  });

  test('stops at Ctrl-C with 130 and goes on with the same command', { timeout: 30_000 }, async () => {
    const root = temporaryFolder();
    const source = await openSqliteBackend({ path: join(root, 'source.db') });
    await source.createDatabase('app');
    await source.createContainer('app', { id: 'items', partitionKey: '/pk' });
    await (
      await source.container('app', 'items')
    ).bulk(Array.from({ length: 12_000 }, (_, index) => ({ type: 'create', document: { id: `d${index}`, pk: 1, text: 'x'.repeat(300) } })));
    await source.close();
    const args = ['copy', join(root, 'source.db'), `file:${join(root, 'target')}`];
    const copy = new CliProcess(args, { cwd: root });
    const marks = join(root, '.perigee', 'copy');
    await whileRunning(copy, () => existsSync(marks) && readdirSync(marks).some((name) => name.endsWith('.json')));
    expect(await copy.stop('SIGINT')).toEqual({
      exit: 130,
      stdout: '',
      stderr: 'perigee: interrupted; the same command goes on where it stopped.\n',
    });
    expect(existsSync(join(root, 'target', '.perigee', 'lock'))).toBe(false);
    const next = await runCli(args, { cwd: root });
    expect([next.exit, next.stdout]).toEqual([0, expect.stringMatching(/went on where it stopped: .*equal: 12000 documents/u)]);
  });

  test('says what becomes of a time to live', async () => {
    const { root, folder } = fixtures();
    writeFileSync(join(folder, 'shop', 'plain.container.json'), '{"partitionKey":"/id","defaultTtl":3600}');
    const remaining = await runCli(['copy', `file:${folder}`, 'file:remaining', '--ttl', 'remaining'], { cwd: root });
    expect([remaining.exit, remaining.stderr]).toEqual([0, expect.stringContaining('the rest of their time')]);
    expect(bodiesOf(root, 'remaining', 'shop', 'plain.jsonl')[0]).toMatch(/^\{"id":"a","ttl":3[56]\d\d\}$/u);
  });

  test('refuses what cannot be copied, and repeats no key', async () => {
    const { root, folder } = fixtures();
    const secret = WELL_KNOWN_KEY.slice(0, 20);
    const runs = await Promise.all([
      runCli(['copy', 'memory', `file:${root}/x`], { cwd: root }),
      runCli(['copy', `file:${folder}`, `file:${folder}/../fixtures`], { cwd: root }),
      runCli(['copy', 'file:missing', `file:${root}/x`], { cwd: root }),
      runCli(['copy', `file:${folder}`, 'https://account.documents.azure.com/'], { cwd: root, env: { PERIGEE_TO_KEY: '' } }),
      runCli(['copy', `file:${folder}`, 'sqlite:x.db', '--ttl', 'never'], { cwd: root }),
      runCli(['copy', `file:${folder}`, 'sqlite:y.db', '--container', 'orders'], { cwd: root }),
    ]);
    expect(runs.map(({ exit, stderr }) => [exit, /\[([A-Z_]+)\]/u.exec(stderr)?.[1]])).toEqual([
      [78, 'INVALID_OPTION'],
      [78, 'INVALID_OPTION'],
      [65, 'NOT_FOUND'],
      [78, 'INVALID_OPTION'],
      [64, undefined],
      [78, 'INVALID_OPTION'],
    ]);
    expect(JSON.stringify(runs)).not.toContain(secret);
    expect(existsSync(join(root, 'missing'))).toBe(false);
  });
});

test('perigee serve keeps a folder of files: what clients wrote is there, readable, after a kill', { timeout: 30_000 }, async () => {
  const root = temporaryFolder();
  const served = await serveCli(['--store', 'file:data'], { cwd: root });
  expect(served.store).toBe(join(root, 'data'));
  const { folder } = fixtures();
  expect((await runCli(['copy', `file:${folder}`, served.url], { cwd: root })).exit).toBe(0);
  await served.cli.stop('SIGKILL');
  const lines = bodiesOf(root, 'data', 'shop', 'plain.jsonl');
  expect(lines).toEqual(['{"id":"a"}', '{"id":"b","n":1}']);
  const backend = await openFileBackend({ folder: join(root, 'data') });
  const beside = await runCli(['copy', 'file:data', 'file:beside'], { cwd: root });
  expect([beside.exit, beside.stderr]).toEqual([0, expect.stringContaining('another program has the folder open')]);
  const orders = await backend.container('shop', 'orders');
  expect(await orders.query('SELECT VALUE COUNT(1) FROM c').toArray()).toEqual([250]);
  await backend.close();
});
