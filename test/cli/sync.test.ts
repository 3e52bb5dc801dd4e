import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { mergeFields, SyncEngine, type SyncOptions, type SyncReport, type VerifyReport } from '../../src/sync/index.ts';
import { describeFile } from '../../src/sync/describe-file.ts';
import { damage } from '../sync/damage.ts';
import { CliProcess, runCli, serveCli, temporaryFolder, type Ended } from './cli-process.ts';

const NOTES = { id: 'notes', partitionKey: '/owner', defaultTtl: -1, uniqueKeys: [['/email']] };

/** A folder with a store to serve, holding some notes of Ada. */
async function cloudWith(count: number): Promise<{ readonly root: string; readonly store: string; readonly file: string }> {
  const root = temporaryFolder();
  const store = join(root, 'cloud.sqlite');
  const backend = await openSqliteBackend({ path: store });
  await backend.createDatabase('app');
  await backend.createContainer('app', NOTES);
  const notes = await backend.container('app', 'notes');
  await notes.bulk(
    Array.from({ length: count }, (_, index) => ({
      type: 'create',
      document: { id: `n${index}`, owner: 'ada', email: `${index}`, text: `${index} ${'x'.repeat(300)}` },
    })),
  );
  await backend.close();
  return { root, store, file: join(root, 'phone.sqlite') };
}

const first = (file: string): readonly string[] => ['--file', file, '--user', 'ada', '--scope', 'notes=ada'];

/** Works on the file as an application does that cannot reach its remote. */
async function offline(file: string, work: (engine: SyncEngine) => Promise<void>, options: Partial<SyncOptions> = {}): Promise<void> {
  const backend = await openSqliteBackend({ path: file });
  const engine = await SyncEngine.open({
    backend,
    user: 'ada',
    scope: [{ container: 'notes', partitionKey: 'ada' }],
    remote: () => Promise.reject(new Error('There is no network.')),
    ...options,
  });
  await work(engine);
  await engine.close();
  await backend.close();
}

async function harm(file: string, ...done: readonly Parameters<typeof damage>[1][]): Promise<void> {
  const backend = await openSqliteBackend({ path: file });
  for (const one of done) {
    await damage(backend, one, { id: one.id, owner: 'ada', text: 'secret content' });
  }
  await backend.close();
}

function jsonOf<T>({ stdout }: Ended): T {
  return JSON.parse(stdout) as T;
}

/** Documents of a first load that are in a file, which another process may be making. */
async function loadedIn(file: string): Promise<number> {
  if (!existsSync(file)) {
    return 0;
  }
  try {
    const backend = await openSqliteBackend({ path: file, readOnly: true });
    try {
      return (await backend.database.read(() => describeFile()))?.scopes[0]?.firstLoad.loaded ?? 0;
    } finally {
      await backend.close();
    }
  } catch {
    // Its tables are just being made.
    return 0;
  }
}

/** Lines of JSON with ids. */
function linesOf({ stdout }: Ended): readonly { readonly id: string }[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
}

const byId = (left: { readonly id: string }, right: { readonly id: string }): number => (left.id < right.id ? -1 : 1);

/** Waits for something that a running command does. */
async function until(command: CliProcess, condition: () => Promise<boolean>): Promise<void> {
  let ended: Ended | undefined;
  void command.ended().then((end) => (ended = end));
  while (!(await condition())) {
    if (ended !== undefined) {
      throw new Error(`The command ended with ${ended.exit}: ${ended.stdout}${ended.stderr}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

describe('perigee sync', () => {
  test('run makes a file, status reads it, verify and repair compare it: against a local store', { timeout: 60_000 }, async () => {
    const { root, store, file } = await cloudWith(30);
    const ran = await runCli(['sync', 'run', ...first(file), '--remote', store]);
    expect(ran).toEqual({
      exit: 0,
      stdout: expect.stringMatching(
        /^complete: 0 sent, 30 received, 0 deleted on the device, 0 conflicts, 0 refused; \d+ requests, [\d.]+ request units, 0 bytes sent, \d+ bytes received\n$/u,
      ) as string,
      stderr: '',
    });
    const status = await runCli(['sync', 'status', '--file', file]);
    expect([status.exit, status.stderr]).toEqual([0, '']);
    expect(status.stdout).toMatch(/^user ada, device [\da-f]{16}\n0 pending; 0 of them dead letters; 0 conflicts in the journal\n/u);
    expect(status.stdout).toMatch(/\nnotes \["ada"\]: loaded; follows a cursor; reconciled 2\S+Z; 0 pending, 0 dead letters\n$/u);
    await offline(file, async (engine) => {
      await engine.store('notes').create({ id: 'mine', owner: 'ada', email: 'mine', text: 'secret content' });
    });
    expect(jsonOf(await runCli(['sync', 'status', '--file', file, '--json']))).toMatchObject({
      user: 'ada',
      pending: 1,
      deadLetters: 0,
      conflicts: 0,
      merges: false,
      oldestPendingAgeMs: expect.any(Number) as number,
      scopes: [
        {
          container: 'notes',
          partitionKey: ['ada'],
          pending: 1,
          firstLoad: { done: true, loaded: 30, total: 30 },
          cursor: expect.any(String) as string,
        },
      ],
    });
    const application = await openSqliteBackend({ path: file });
    const runner = application.database.lock('runner');
    expect(await runner.tryTake()).toBe(true);
    expect((await runCli(['sync', 'status', '--file', file])).stdout).toContain('\na process is synchronising the file\n');
    await runner.close();
    await application.close();
    await harm(file, { kind: 'deleted', id: 'n1' }, { kind: 'changed', id: 'n2' }, { kind: 'extra', id: 'stray' });
    const remote = ['--remote', store];
    const verified = await runCli(['sync', 'verify', '--file', file, ...remote]);
    expect([verified.exit, verified.stderr]).toEqual([65, '']);
    expect(verified.stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^DIFFERENT: 1 missing on the device, 1 missing at the remote, 1 different, 1 waiting to be sent; \d+ requests/u,
      ) as string,
      '  different: "n2" in notes ["ada"]',
      '  missing at the remote: "stray" in notes ["ada"]',
      '  missing on the device: "n1" in notes ["ada"]',
      '  waiting to be sent: "mine" in notes ["ada"]',
      '',
    ]);
    const stopped = await runCli(['sync', 'verify', '--file', file, ...remote, '--max-request-units', '0.5', '--json']);
    expect([stopped.exit, jsonOf<VerifyReport>(stopped)]).toMatchObject([75, { equal: false, complete: false, requests: 1 }]);
    const repaired = await runCli(['sync', 'repair', '--file', file, ...remote, '--json'], { cwd: root });
    expect([repaired.exit, repaired.stderr]).toEqual([0, '']);
    expect(jsonOf(repaired)).toMatchObject({
      before: { defects: 3 },
      after: { equal: true, documentsAtRemote: 31 },
      reloaded: 3,
      journaled: 2,
      run: { pushed: 1, outcome: 'complete' },
    });
    expect(repaired.stdout).not.toContain('secret content');
    expect(await runCli(['sync', 'verify', '--file', file, ...remote])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^equal: 31 documents on both sides; 1 requests, [\d.]+ request units\n$/u) as string,
    });
  });

  test(
    'run goes on after kill -9 of itself and of the server, and ends equal; a server that is away gives its exit code',
    { timeout: 90_000 },
    async () => {
      const { store, file } = await cloudWith(10_000);
      let served = await serveCli(['--store', `sqlite:${store}`]);
      const args = ['sync', 'run', ...first(file), '--json'];
      const interrupted = new CliProcess([...args, '--remote', served.url]);
      await until(interrupted, async () => (await loadedIn(file)) > 0);
      expect(await interrupted.stop('SIGINT')).toEqual({
        exit: 130,
        stdout: '',
        stderr: 'perigee: interrupted; nothing is lost, and the same command goes on where it stopped.\n',
      });
      const before = await loadedIn(file);
      const killed = new CliProcess([...args, '--remote', served.url]);
      await until(killed, async () => (await loadedIn(file)) > before);
      expect((await killed.stop('SIGKILL')).exit).toBe('SIGKILL');
      const reached = await loadedIn(file);
      expect(reached).toBeLessThan(10_000);
      await offline(file, async (engine) => {
        await engine.store('notes').create({ id: 'mine', owner: 'ada', email: 'mine' });
      });
      await served.cli.stop('SIGKILL');
      const away = await runCli([...args, '--remote', served.url]);
      expect([away.exit, jsonOf<SyncReport>(away).error?.code]).toEqual([69, 'UNREACHABLE']);
      expect(away.stderr).toMatch(/^perigee: .*\[UNREACHABLE\]\n.+\n$/su);
      served = await serveCli(['--store', `sqlite:${store}`]);
      const connection = `AccountEndpoint=${served.url}/;AccountKey=${WELL_KNOWN_KEY};`;
      const last = await runCli(['sync', 'run', '--file', file, '--json'], { env: { PERIGEE_REMOTE: connection } });
      expect([last.exit, last.stderr]).toEqual([0, '']);
      const report = jsonOf<SyncReport>(last);
      expect(report).toMatchObject({ outcome: 'complete', pushed: 1 });
      expect(report.pulled).toBeLessThan(10_000 - reached + 2);
      const verified = await runCli(['sync', 'verify', '--file', file, '--remote', served.url, '--json']);
      expect([verified.exit, jsonOf<VerifyReport>(verified)]).toMatchObject([0, { equal: true, documentsOnDevice: 10_001 }]);
    },
  );

  test('watch sends what an application writes, survives a server that is away, and ends with Ctrl-C', { timeout: 60_000 }, async () => {
    const { store, file } = await cloudWith(3);
    const served = await serveCli(['--store', `sqlite:${store}`]);
    const watch = new CliProcess(['sync', 'watch', ...first(file), '--remote', served.url, '--interval', '0.1']);
    await until(watch, async () => (await loadedIn(file)) === 3);
    expect(await watch.firstLine()).toBe('Watching; Ctrl-C stops.');
    // A run has more to do behind its last document.
    await until(watch, () => Promise.resolve(watch.stdout.includes('complete:')));
    await served.cli.stop('SIGKILL');
    await until(watch, () => Promise.resolve(watch.stderr.includes('[')));
    await offline(file, async (engine) => {
      await engine.store('notes').create({ id: 'mine', owner: 'ada', email: 'mine' });
    });
    await serveCli(['--store', `sqlite:${store}`, '--port', String(served.port)]);
    await until(watch, () => Promise.resolve(watch.stderr.includes('sync works again')));
    const ended = await watch.stop('SIGINT');
    expect(ended.exit).toBe(0);
    expect(ended.stdout).toMatch(/^Watching; Ctrl-C stops\.\ncomplete: 0 sent, 3 received.*\ncomplete: 1 sent, 0 received/u);
  });

  test('dead-letters lists without content, exports whole, retries and discards, all offline', { timeout: 60_000 }, async () => {
    const { store, file } = await cloudWith(3);
    expect((await runCli(['sync', 'run', ...first(file), '--remote', store])).exit).toBe(0);
    await offline(file, async (engine) => {
      await engine.store('notes').create({ id: 'one', owner: 'ada', email: '1', text: 'secret content' });
      await engine.store('notes').create({ id: 'two', owner: 'ada', email: '2', text: 'secret content' });
    });
    const refused = await runCli(['sync', 'run', '--file', file, '--remote', store]);
    expect(refused.exit).toBe(0);
    expect(refused.stdout).toContain('\n  refused: "one" in notes ["ada"] [CONFLICT]\n');
    const listed = await runCli(['sync', 'dead-letters', '--file', file]);
    expect([listed.exit, listed.stderr]).toEqual([0, '']);
    expect(listed.stdout).toMatch(/^"one" in notes \["ada"\]: refused once, last 2\S+Z, remote missing: .* \[CONFLICT\]$/mu);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(2);
    const asJson = await runCli(['sync', 'dead-letters', '--file', file, '--json']);
    expect(linesOf(asJson).toSorted(byId)).toMatchObject([
      { id: 'one', partitionKey: ['ada'], kind: 'put', remote: 'missing' },
      { id: 'two' },
    ]);
    expect([refused, listed, asJson].map(({ stdout, stderr }) => stdout + stderr).join('')).not.toContain('secret content');
    const exported = await runCli(['sync', 'dead-letters', '--file', file, '--export']);
    expect(linesOf(exported).toSorted(byId)).toMatchObject([
      { id: 'one', local: { id: 'one', text: 'secret content' } },
      { id: 'two', local: { id: 'two', text: 'secret content' } },
    ]);
    expect(await runCli(['sync', 'dead-letters', '--file', file, '--discard', 'one'])).toEqual({
      exit: 0,
      stdout: '"one" in notes ["ada"] was given up; its version is in the journal.\n',
      stderr: '',
    });
    expect((await runCli(['sync', 'dead-letters', '--file', file, '--retry', 'two'])).exit).toBe(0);
    expect((await runCli(['sync', 'dead-letters', '--file', file])).stdout).toBe('No dead letters.\n');
    const nobody = await runCli(['sync', 'dead-letters', '--file', file, '--retry', 'nobody']);
    expect([nobody.exit, nobody.stderr]).toEqual([65, expect.stringContaining('[NOT_FOUND]')]);
    expect(jsonOf(await runCli(['sync', 'status', '--file', file, '--json']))).toMatchObject({ pending: 1, deadLetters: 0, conflicts: 1 });
  });

  test('keeps the type filter of the file, and leaves a file alone whose application merges', { timeout: 60_000 }, async () => {
    const { store, file } = await cloudWith(3);
    const cloud = await openSqliteBackend({ path: store });
    await (await cloud.container('app', 'notes')).create({ id: 'todo', owner: 'ada', email: 'todo', 'a "type"': { b: 'todo' } });
    const backend = await openSqliteBackend({ path: file });
    const engine = await SyncEngine.open({
      backend,
      user: 'ada',
      scope: [{ container: 'notes', partitionKey: 'ada', types: { path: String.raw`/"a \"type\""/b`, values: ['todo'] } }],
      remote: (container) => cloud.container('app', container),
    });
    expect((await engine.sync()).pulled).toBe(1);
    await engine.close();
    await backend.close();
    await cloud.close();
    const again = await runCli(['sync', 'run', '--file', file, '--scope', 'notes=["ada"]', '--remote', store, '--json']);
    expect([again.exit, jsonOf<SyncReport>(again)]).toMatchObject([0, { pulled: 0, requests: 1 }]);
    expect((await runCli(['sync', 'status', '--file', file])).stdout).toContain('notes ["ada"] (some types): loaded');

    const merging = join(file, '..', 'merging.sqlite');
    await offline(
      merging,
      async (one) => {
        await one.store('notes').create({ id: 'counted', owner: 'ada', email: 'counted', count: 1 });
      },
      { containers: [NOTES], policies: { notes: mergeFields({ counters: ['/count'] }) } },
    );
    const refused = await runCli(['sync', 'run', '--file', merging, '--remote', store]);
    expect([refused.exit, refused.stdout, refused.stderr]).toEqual([78, '', expect.stringContaining('merges documents by property')]);
    expect((await runCli(['sync', 'verify', '--file', merging, '--remote', store])).exit).toBe(65);
    expect((await runCli(['sync', 'run', '--file', merging, '--remote', store, '--policy', 'server-wins'])).exit).toBe(0);
  });

  test('says what is wrong with a command line, repeats no key, and makes no file', { timeout: 60_000 }, async () => {
    const { root, store, file } = await cloudWith(1);
    const plain = join(root, 'plain.sqlite');
    await (await openSqliteBackend({ path: plain })).close();
    const cases: readonly (readonly [args: readonly string[], exit: number, said: string])[] = [
      [['status', '--file', file], 65, 'there is no such file'],
      [['status', '--file', plain], 65, 'was never synchronised'],
      [['run', '--file', file, '--remote', store], 65, 'there is no such file'],
      [['run', '--file', plain, '--remote', store], 78, 'Give --user'],
      [['run', '--file', plain, '--remote', store, '--user', 'ada'], 78, 'Give --scope'],
      [['run', '--file', plain, '--remote', store, '--scope', 'notes=ada'], 78, 'Give --user'],
      [['run', ...first(file)], 78, '--remote'],
      [['run', ...first(file), '--remote', 'memory'], 78, 'Cannot synchronise with memory'],
      [['run', ...first(store), '--remote', store], 78, 'a file with itself'],
      [['run', ...first(file), '--remote', 'AccountEndpoint=nonsense;AccountKey=c2VjcmV0;'], 78, 'INVALID_OPTION'],
      [['verify', ...first(file), '--remote', store], 65, 'there is no such file'],
      [['dead-letters', '--file', plain, '--retry', 'a', '--export'], 78, 'only one of'],
      [['run', '--remote', store], 64, "required option '--file <path>'"],
    ];
    const runs = await Promise.all(cases.map(([args]) => runCli(['sync', ...args], { cwd: root })));
    for (const [index, ended] of runs.entries()) {
      const [args, exit, said] = cases[index] as (typeof cases)[number];
      expect([args, ended.exit, ended.stdout, ended.stderr]).toEqual([args, exit, '', expect.stringContaining(said)]);
      expect(ended.stderr).not.toContain('c2VjcmV0');
    }
    expect(existsSync(file)).toBe(false);
    const other = join(root, 'other.sqlite');
    expect((await runCli(['sync', 'run', ...first(other), '--remote', store, '--database', 'none'])).exit).toBe(65);
  });

  test('help names every command and option', async () => {
    const commands = ['status', 'run', 'watch', 'verify', 'repair', 'dead-letters'];
    const [all, ...each] = await Promise.all(
      [['sync', '--help'], ...commands.map((name) => ['sync', name, '--help'])].map((args) => runCli(args)),
    );
    for (const name of commands) {
      expect(all?.stdout).toMatch(new RegExp(`^ {2}${name} \\[options\\]`, 'mu'));
    }
    each.forEach(({ exit, stdout }) => {
      expect([exit, stdout]).toEqual([0, expect.stringContaining('--file <path>')]);
    });
    for (const { stdout } of each.slice(1)) {
      expect(stdout).toContain('--scope <container=key>');
      expect(stdout).toContain('--remote <store>');
    }
  });
});
