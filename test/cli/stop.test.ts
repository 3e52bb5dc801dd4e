import { createConnection } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from '@azure/cosmos';
import { sign } from '../server/sign.ts';
import { describe, expect, test } from 'vitest';
import { idsOf, notesOf, sdkClient, serveCli, temporaryFolder } from './cli-process.ts';

/** Writes, reads and queries until a request fails, and gives the error. */
async function work(notes: Container, name: number, acknowledged: string[]): Promise<unknown> {
  try {
    for (let index = 0; ; index += 1) {
      const id = `${name}-${index}`;
      await notes.items.create({ id, owner: 'ada' });
      acknowledged.push(id);
      const { resource } = await notes.item(id, 'ada').read();
      expect(resource.id).toBe(id);
      const query = { query: 'SELECT VALUE c.id FROM c WHERE c.id = @id', parameters: [{ name: '@id', value: id }] };
      expect((await notes.items.query(query, { partitionKey: 'ada' }).fetchAll()).resources).toEqual([id]);
    }
  } catch (error) {
    return error;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

describe('a server that is asked to stop', () => {
  test('under load answers all that it took, so that clients see nothing but a server that is not there any more', async () => {
    const path = join(temporaryFolder(), 'data.sqlite');
    // Longer than a client on a busy machine takes from one request to the next. Nobody waits for it: each connection has its last one.
    const { cli, url } = await serveCli(['--store', `sqlite:${path}`, '--idle-grace', '20000']);
    const notes = await notesOf(sdkClient(url));
    const acknowledged: string[] = [];
    const workers = Array.from({ length: 16 }, (_, name) => work(notes, name, acknowledged));
    await until(() => acknowledged.length > 100);
    const { exit, stderr } = await cli.stop('SIGTERM');
    const errors = await Promise.all(workers);
    expect(errors.map((error) => (error as { code?: unknown }).code ?? error)).toEqual(errors.map(() => 'ECONNREFUSED'));
    expect([exit, stderr]).toEqual([0, '']);
    const again = await serveCli(['--store', `sqlite:${path}`]);
    expect(await idsOf(await notesOf(sdkClient(again.url)))).toEqual(acknowledged.toSorted());
  });

  test('waits for a request under way, and at a second signal does not', async () => {
    const rules = join(temporaryFolder(), 'rules.json');
    writeFileSync(rules, JSON.stringify({ rules: [{ operation: 'read-document', effect: { kind: 'slow', durationMs: 600_000 } }] }));
    const { cli, url } = await serveCli(['--store', 'memory', '--chaos', rules, '--close-timeout', '600000']);
    const notes = await notesOf(sdkClient(url));
    await notes.items.create({ id: 'a', owner: 'ada' });
    const target = '/dbs/app/colls/notes/docs/a';
    const date = new Date().toUTCString();
    const headers = { 'x-ms-date': date, authorization: sign('GET', target, date), 'x-ms-documentdb-partitionkey': '["ada"]' };
    // The headers of the answer are here, its body is not.
    const underWay = await fetch(url + target, { headers });
    let ended = false;
    void cli.ended().then(() => {
      ended = true;
    });
    cli.signal('SIGTERM');
    const { port } = new URL(url);
    await expect
      .poll(
        () =>
          new Promise((resolve) => {
            const socket = createConnection(Number(port), '127.0.0.1');
            socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
            socket.once('connect', () => {
              socket.destroy();
              resolve('connected');
            });
          }),
      )
      .toBe('ECONNREFUSED');
    expect(ended).toBe(false);
    const { exit, stderr } = await cli.stop('SIGTERM');
    expect([exit, stderr]).toEqual([143, 'perigee: stopped at once; requests under way are cut.\n']);
    await expect(underWay.text()).rejects.toThrow('terminated');
  });
});
