import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CosmosClient } from '@azure/cosmos';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { mountSmallDisk } from '../robustness/small-disk.ts';
import { CliProcess, idsOf, notesOf, runCli, sdkClient, serveCli, temporaryFolder } from './cli-process.ts';

describe('perigee serve', () => {
  test('keeps its data in the working folder unless told otherwise; SIGTERM and Ctrl-C end it with 0, and after any end the data is there', async () => {
    const cwd = temporaryFolder();
    const endings: readonly (readonly [signal: NodeJS.Signals, exit: number | string])[] = [
      ['SIGTERM', 0],
      ['SIGKILL', 'SIGKILL'],
      ['SIGINT', 0],
    ];
    const written: string[] = [];
    for (const [round, [signal, exit]] of endings.entries()) {
      const { cli, url, store } = await serveCli([], { cwd });
      expect(store).toBe(join(cwd, '.perigee', 'data.sqlite'));
      const notes = await notesOf(sdkClient(url));
      expect(await idsOf(notes)).toEqual(written);
      await notes.items.create({ id: `note-${round}`, owner: 'ada' });
      written.push(`note-${round}`);
      expect(await cli.stop(signal)).toEqual({ exit, stdout: expect.stringMatching(/^\{[^\n]*\}\n$/u), stderr: '' });
    }
    // The last end was a quiet one: all is in the one file.
    expect(readdirSync(join(cwd, '.perigee'))).toEqual(['data.sqlite']);
  });

  test('stopped by SIGTERM while clients write: what was acknowledged is there afterwards', async () => {
    const path = join(temporaryFolder(), 'data.sqlite');
    const first = await serveCli(['--store', `sqlite:${path}`]);
    const notes = await notesOf(sdkClient(first.url));
    const acknowledged: string[] = [];
    const writer = async (name: number): Promise<void> => {
      for (let index = 0; ; index += 1) {
        const id = `${name}-${index}`;
        await notes.items.create({ id, owner: 'ada' });
        acknowledged.push(id);
      }
    };
    const writers = [0, 1, 2, 3].map((name) => writer(name).catch(() => undefined));
    while (acknowledged.length < 40) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    const { exit, stderr } = await first.cli.stop('SIGTERM');
    await Promise.all(writers);
    expect([exit, stderr]).toEqual([0, '']);
    const again = await serveCli(['--store', `sqlite:${path}`]);
    const found = new Set(await idsOf(await notesOf(sdkClient(again.url))));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  });

  test('tells people endpoint, key and store', async () => {
    const cli = new CliProcess(['serve', '--port', '0', '--store', 'memory']);
    await cli.firstLine();
    const { exit, stdout } = await cli.stop('SIGINT');
    expect(exit).toBe(0);
    const [, url = ''] = /endpoint {2}(\S+)\n/u.exec(stdout) ?? [];
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
    expect(stdout).toContain(`key       ${WELL_KNOWN_KEY}`);
    expect(stdout).toContain('store     memory');
    expect(stdout).toContain('Ctrl-C stops it.');
  });

  test('with a key of its own listens elsewhere, refuses others, and says the key nowhere', async () => {
    const key = Buffer.from('a secret that nobody may read').toString('base64');
    const { cli, url } = await serveCli(['--store', 'memory', '--host', '0.0.0.0'], { env: { PERIGEE_KEY: key } });
    await expect(sdkClient(url).databases.readAll().fetchAll()).rejects.toMatchObject({ code: 401 });
    expect((await sdkClient(url, key).databases.readAll().fetchAll()).resources).toEqual([]);
    const people = new CliProcess(['serve', '--port', '0', '--store', 'memory', '--key', key]);
    await people.firstLine();
    const ended = [await cli.stop('SIGTERM'), await people.stop('SIGTERM')];
    expect(ended.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(ended[1]?.stdout).toContain('the one you gave');
    expect(JSON.stringify(ended)).not.toContain(key.slice(0, 12));
  });

  test('serves TLS with --https, and keeps the certificate that clients trust', async () => {
    const cwd = temporaryFolder();
    const first = await serveCli(['--store', 'memory', '--https'], { cwd });
    const { url, certificateFile } = first as typeof first & { certificateFile: string };
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/u);
    expect(certificateFile).toBe(join(cwd, '.perigee', 'certs', 'emulator.pem'));
    const ca = readFileSync(certificateFile, 'utf8');
    const agent = new Agent({ ca });
    const client = new CosmosClient({ endpoint: url, key: WELL_KNOWN_KEY, agent });
    onTestFinished(() => {
      client.dispose();
      agent.destroy();
    });
    const notes = await notesOf(client);
    await notes.items.create({ id: 'a', owner: 'ada' });
    expect(await idsOf(notes)).toEqual(['a']);
    expect((await first.cli.stop('SIGTERM')).exit).toBe(0);
    const people = new CliProcess(['serve', '--port', '0', '--store', 'memory', '--https'], { cwd });
    await people.firstLine();
    expect((await people.stop('SIGTERM')).stdout).toContain(`trust     NODE_EXTRA_CA_CERTS=${certificateFile}\n`);
    expect(readFileSync(certificateFile, 'utf8')).toBe(ca);
  });

  test('a client that asks wrongly gets its status and harms nobody', async () => {
    const { cli, url } = await serveCli(['--store', 'memory']);
    const notes = await notesOf(sdkClient(url));
    const text = 'x'.repeat(3_000_000);
    await expect(notes.items.create({ id: 'large', owner: 'ada', text })).rejects.toMatchObject({ code: 413 });
    await expect(notes.scripts.storedProcedure('none').execute('ada')).rejects.toMatchObject({ code: 404 });
    await expect(notes.items.query('SELECT FORM c').fetchAll()).rejects.toMatchObject({ code: 400 });
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/dbs`)).status).toBe(401);
    await notes.items.create({ id: 'small', owner: 'ada' });
    expect(await idsOf(notes)).toEqual(['small']);
    const { exit, stderr } = await cli.stop('SIGTERM');
    expect([exit, stderr]).toEqual([0, '']);
  });
});

describe('perigee serve where it may not write', () => {
  test('exits with 74 and says which path, as a user without privileges', async () => {
    const main = fileURLToPath(new URL('unprivileged-child.ts', import.meta.url));
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    const path = join(closed, 'below', 'data.sqlite');
    const { exit, stdout, stderr } = await runCli(['serve', '--port', '0', '--store', `sqlite:${path}`], { main });
    expect([exit, stdout]).toEqual([74, '']);
    expect(stderr).toContain(join(closed, 'below'));
    expect(stderr).toContain('[STORE_READ_ONLY]');
    expect(stderr).toContain('Check owner and mode');
    expect(readdirSync(closed)).toEqual([]);
  });
});

describe('perigee serve on a full disk', () => {
  test('tells its operator why, its clients 507, and stops in peace; what it acknowledged is there afterwards', async ({ skip }) => {
    const disk = mountSmallDisk(2048) ?? skip();
    const path = join(disk.folder, 'data.sqlite');
    const { cli, url } = await serveCli(['--store', `sqlite:${path}`]);
    const notes = await notesOf(sdkClient(url));
    disk.fill(250_000);
    const acknowledged: string[] = [];
    let code: unknown;
    for (let index = 1000; code === undefined; index += 1) {
      await notes.items.create({ id: `note-${index}`, owner: 'ada', text: 'x'.repeat(4000) }).then(
        () => acknowledged.push(`note-${index}`),
        (error: { code: unknown }) => {
          ({ code } = error);
        },
      );
    }
    expect(code).toBe(507);
    disk.fill();
    await expect.poll(() => cli.stderr).toContain('[STORE_FULL]');
    expect(cli.stderr).toContain(path);
    expect((await cli.stop('SIGTERM')).exit).toBe(0);

    disk.empty();
    const again = await serveCli(['--store', `sqlite:${path}`]);
    expect(await idsOf(await notesOf(sdkClient(again.url)))).toEqual(acknowledged);
  });
});
