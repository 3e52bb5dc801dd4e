import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ShiftableRuntime } from '../../../src/core/shiftable-runtime.ts';
import { ADMIN_ROUTES } from '../../../src/server/admin/admin-routes.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { serve } from '../served.ts';

const run = promisify(execFile);
const read = (page: string): string => readFileSync(`docs/${page}`, 'utf8');

test('the page names every admin route, and which key it takes', () => {
  const rows = Array.from(read('server.md').matchAll(/^\| `([A-Z]+ \/_perigee\/\S+)` \|.*\| (yes|no) \|$/gmu), ([, name, key]) => [
    name,
    key,
  ]);
  expect(rows).toEqual(ADMIN_ROUTES.map(({ method, path, need }) => [`${method} ${path}`, need === 'read' ? 'yes' : 'no']));
});

test('what the pages write for a shell does what they say', async ({ skip }) => {
  await run('curl', ['--version']).catch(() => skip('curl is not installed'));
  const cwd = mkdtempSync(join(tmpdir(), 'perigee-admin-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const { server, client } = await serve({ backend: openMemoryBackend({ runtime: new ShiftableRuntime() }) });
  const { database } = await client().databases.create({ id: 'app' });
  await database.containers.create({ id: 'items', partitionKey: '/key' });
  const commands = ['server.md', 'chaos.md', 'snapshots.md'].flatMap((page) =>
    Array.from(read(page).matchAll(/```sh admin\n([\s\S]*?)```/gu), ([, text]) => (text as string).trimEnd()),
  );
  const script = commands
    .join('\n')
    .replaceAll('http://127.0.0.1:8081', server.url)
    .replaceAll('curl ', "curl -sS -w '\\n%{http_code}\\n' ");
  const { stdout } = await run('sh', ['-e', '-c', script], { cwd });
  const answers = stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  expect(answers.filter((line) => /^\d{3}$/u.test(line))).toEqual(['200', '200', '200', '200', '200', '204', '200', '200']);
  expect(JSON.parse(answers[0] as string)).toMatchObject({ store: { name: 'memory' } });
  expect(JSON.parse(answers[2] as string)).toMatchObject({ shiftedMs: 86_400_000 });
  expect(JSON.parse(answers[4] as string)).toMatchObject({ ranges: [{ id: '1' }, { id: '2' }] });
  expect(JSON.parse(answers[6] as string)).toMatchObject({ rules: [{ rule: { operation: 'read-*' } }] });
  expect(JSON.parse(answers.at(-2) as string)).toMatchObject({ databases: 1 });
});
