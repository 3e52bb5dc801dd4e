import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serverOptionsOf } from '../../src/cli/serve/server-options-of.ts';
import { idsOf, notesOf, runCli, sdkClient, serveCli, temporaryFolder } from './cli-process.ts';

const CREATE_409 = { operation: 'create-document', count: 1, effect: { kind: 'drop' } };

describe('perigee serve --chaos', () => {
  test('injects what the file says: an answer is lost, and the repeated create meets 409', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'rules.json'), JSON.stringify({ rules: [CREATE_409] }));
    const { cli, url } = await serveCli(['--store', 'memory', '--chaos', 'rules.json'], { cwd });
    const notes = await notesOf(sdkClient(url));
    await expect(notes.items.create({ id: 'a', owner: 'ada' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(notes.items.create({ id: 'a', owner: 'ada' })).rejects.toMatchObject({ code: 409 });
    expect(await idsOf(notes)).toEqual(['a']);
    expect((await cli.stop('SIGTERM')).exit).toBe(0);
  });

  test('ends with 78 and says which rule is wrong', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'rules.json'), JSON.stringify({ rules: [{ id: 'late', effect: { kind: 'delay' } }] }));
    const { exit, stdout, stderr } = await runCli(['serve', '--port', '0', '--store', 'memory', '--chaos', 'rules.json'], { cwd });
    expect([exit, stdout]).toEqual([78, '']);
    expect(stderr).toContain('rules[0] ("late").effect has no delayMs. [INVALID_OPTION]');
  });

  test('refuses a file that cannot be used, whatever it is, and repeats nothing of it', () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'folder'));
    const files: readonly (readonly [name: string, content: string | undefined, message: RegExp])[] = [
      ['missing.json', undefined, /missing\.json": there is none\./u],
      ['folder', undefined, /folder": EISDIR\./u],
      ['text.json', '{"rules": [secret', /text\.json" is not JSON\./u],
      ['large.json', `{"rules": [],${' '.repeat(2 ** 20)}}`, /more than 1048576 bytes/u],
      ['deep.json', '['.repeat(200_000), /is not JSON/u],
      ['/dev/zero', undefined, /more than 1048576 bytes/u],
    ];
    const options = {
      store: 'memory',
      host: '127.0.0.1',
      port: '0',
      allowedHost: [],
      corsOrigin: [],
      orderBy: 'policy',
      crossPartition: 'service',
    };
    for (const [name, content, message] of files) {
      const chaos = resolve(cwd, name);
      if (content !== undefined) {
        writeFileSync(chaos, content);
      }
      expect(() => serverOptionsOf({ ...options, chaos }, {})).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) }),
      );
      expect(() => serverOptionsOf({ ...options, chaos }, {})).not.toThrow(/secret/u);
    }
  });
});
