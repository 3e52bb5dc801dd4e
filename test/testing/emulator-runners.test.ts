import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProject, PROJECT, removeProject, RUNNERS, writePageExamples } from './runners/built-package.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const JEST = join(RUNNERS, 'node_modules/jest/bin/jest.js');

interface Runner {
  readonly name: string;
  /** Arguments of Node that run two files at a time. */
  readonly args: (folder: string) => readonly string[];
  /** What it says of so many tests that passed. */
  readonly passed: (count: number) => RegExp;
  /** Why it cannot be run here. */
  readonly missing?: string | undefined;
}

const runners: readonly Runner[] = [
  {
    name: 'vitest',
    args: (folder) => [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      folder,
      '--config',
      'vitest.config.mjs',
      '--maxWorkers',
      '2',
      '--no-color',
    ],
    passed: (count) => new RegExp(`Tests {2}${count} passed`, 'u'),
  },
  {
    name: 'node',
    args: (folder) => ['--test', '--test-concurrency=2', '--test-reporter=tap', folder],
    passed: (count) => new RegExp(`# pass ${count}\\n# fail 0`, 'u'),
  },
  {
    name: 'jest',
    args: (folder) => [
      '--experimental-vm-modules',
      JEST,
      '--maxWorkers',
      '2',
      '--rootDir',
      folder,
      '--config',
      JSON.stringify({ testMatch: ['**/*.test.mjs'], transform: {} }),
    ],
    passed: (count) => new RegExp(`Tests: +${count} passed, ${count} total`, 'u'),
    missing: existsSync(JEST) ? undefined : 'Jest has a lock file of its own: npm run test:runners installs it and runs this.',
  },
];

/** Runs files of tests in a process of their own, as a user does. */
async function runTests(runner: Runner): Promise<{ readonly exit: number | string; readonly said: string }> {
  const meeting = mkdtempSync(join(tmpdir(), 'perigee-runners-'));
  // Nothing of the run that this is part of.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_TEST|NODE_OPTIONS|JEST|TEST$|MODE$)/u.test(name)),
  );
  const child = spawn(process.execPath, runner.args(join(PROJECT, runner.name)), {
    cwd: PROJECT,
    env: { ...env, PERIGEE_MEETING: meeting, NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  rmSync(meeting, { recursive: true, force: true });
  return { exit: code ?? signal ?? 'unknown', said };
}

beforeAll(async () => {
  await buildProject();
  writeFileSync(join(PROJECT, 'vitest/vitest.config.mjs'), 'export default { test: { include: ["*.test.mjs"] } };\n');
}, 120_000);
afterAll(removeProject);

describe.each(runners)('test files of $name', ({ name, missing, ...runner }) => {
  test(
    'have an emulator each, begin each test with its seed, run at the same time, and end by themselves',
    { timeout: 120_000 },
    async ({ skip }) => {
      if (missing !== undefined) {
        console.log(`Not run: ${missing}`);
        skip(missing);
      }
      const pages = writePageExamples('docs/testing.md', name);
      expect(pages).toBeGreaterThan(0);
      const { exit, said } = await runTests({ name, ...runner });
      expect(said).toMatch(runner.passed(6 + 2 * pages));
      expect(exit).toBe(0);
    },
  );
});
