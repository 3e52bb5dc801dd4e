/**
 * Runs the tests of the PostgreSQL store on each release of PostgreSQL that it is for: `npm run test:postgres-versions [-- 14 17] [--tests FILE ...]`.
 * Their programs are those that `test/stores/postgres/releases` locks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { startFrom } from '../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { runInherited } from './run-tests.ts';

const RELEASES = fileURLToPath(new URL('../test/stores/postgres/releases', import.meta.url));
const MAJORS = ['14', '15', '16', '17', '18'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string', multiple: true, default: ['test/stores/postgres', 'test/cli/postgres.test.ts'] } },
});
const unknown = positionals.filter((major) => !MAJORS.includes(major));
if (unknown.length > 0) {
  console.error(`Unknown release ${unknown.join(', ')}. Releases: ${MAJORS.join(', ')}.`);
  process.exit(64);
}

if (!(await runInherited('npm', ['ci', '--prefix', RELEASES, '--ignore-scripts', '--no-audit', '--no-fund']))) {
  process.exit(69);
}
const outcomes: string[] = [];
for (const major of positionals.length === 0 ? MAJORS : positionals) {
  const folder = join(RELEASES, 'node_modules', `postgres-${major}-${process.platform}-${process.arch}`);
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string };
  console.log(`\nPostgreSQL ${version}`);
  const postgres = await startFrom(() => Promise.resolve({ name, version, folder: join(folder, 'native') }), {
    settings: { max_connections: '200' },
  });
  const passed = await runInherited('npx', ['vitest', 'run', ...values.tests], { PERIGEE_POSTGRES_URL: postgres.connectionString });
  await postgres.stop({ mode: 'immediate' });
  outcomes.push(`PostgreSQL ${version}: ${passed ? 'passed' : 'FAILED'}`);
  process.exitCode = passed && (process.exitCode ?? 0) === 0 ? 0 : 1;
}
console.log(`\n${outcomes.join('\n')}`);
