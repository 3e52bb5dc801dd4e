import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CliProcess, idsOf, notesOf, sdkClient, temporaryFolder } from './cli-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test(
  'scripts/perigee.mjs builds a fresh checkout and runs it, builds no more than is needed, and runs nothing that does not build',
  { timeout: 120_000 },
  async () => {
    // A space and a percent sign are what breaks paths that are taken for URLs.
    const checkout = join(temporaryFolder(), 'a 100% fresh checkout');
    for (const part of ['package.json', 'tsconfig.json', 'src', 'scripts']) {
      cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    // Types are checked elsewhere; here they would take most of the time.
    const settings = readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8');
    writeFileSync(join(checkout, 'tsconfig.build.json'), settings.replace('"noEmit": false', '"noEmit": false, "noCheck": true'));
    const script = join(checkout, 'scripts', 'perigee.mjs');
    const built = join(checkout, 'dist', 'cli', 'main.js');

    const cli = new CliProcess(['serve', '--port', '0', '--json'], { main: script, cwd: checkout });
    const { url, store } = JSON.parse(await cli.firstLine()) as { url: string; store: string };
    expect(store).toBe(join(checkout, '.perigee', 'data.sqlite'));
    const notes = await notesOf(sdkClient(url));
    await notes.items.create({ id: 'a', owner: 'ada' });
    expect(await idsOf(notes)).toEqual(['a']);
    expect((await cli.stop('SIGTERM')).exit).toBe(0);

    const builtMs = statSync(built).mtimeMs;
    const version = (): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
      spawnSync(process.execPath, [script, '--version'], { encoding: 'utf8' });
    expect(version()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/u) as string, stderr: '' });
    expect(statSync(built).mtimeMs).toBe(builtMs);

    // What does not build is not run, now or the next time. One file is enough for that, and quicker.
    rmSync(join(checkout, 'src'), { recursive: true });
    mkdirSync(join(checkout, 'src', 'cli'), { recursive: true });
    writeFileSync(join(checkout, 'src', 'cli', 'main.ts'), "console.log('run all the same');\nconst = ;\n");
    for (let round = 0; round < 2; round += 1) {
      const { status, stdout, stderr } = version();
      expect(status).not.toBe(0);
      expect([stdout, stderr]).toEqual(['', expect.stringContaining('main.ts')]);
    }
  },
);
