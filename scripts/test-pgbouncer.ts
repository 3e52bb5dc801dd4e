/**
 * Runs the tests of the PostgreSQL store through PgBouncer in transaction mode, which `PERIGEE_PGBOUNCER` names or the system has:
 * `npm run test:pgbouncer [-- FILE ...]`. The conformance suite runs in each way in which prepared statements and signals can be had.
 */
import { startEmbeddedPostgres } from '../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { findPgBouncer, PGBOUNCER_MISSING, startPgBouncer } from '../test/stores/postgres/pgbouncer/pgbouncer.ts';
import { runInherited } from './run-tests.ts';

const program = findPgBouncer();
if (program === undefined) {
  console.error(PGBOUNCER_MISSING);
  process.exit(69);
}
console.log(`PgBouncer ${program.version} (${program.path}) in transaction mode`);
const postgres = await startEmbeddedPostgres({ settings: { max_connections: '100' } });
const { connectionString } = postgres;
const files = process.argv.slice(2);
const CONFORMANCE = ['test/stores/postgres/postgres-conformance.test.ts'];
const SHARED = ['test/stores/postgres/shared-database.test.ts', 'test/stores/postgres/commit-watch.test.ts'];
const own = [...CONFORMANCE, ...SHARED];

let failed = 0;
for (const [settings, options, tests] of [
  [{ default_pool_size: 5 }, { signals: connectionString }, own],
  [{ default_pool_size: 5 }, { signals: connectionString, preparedStatements: false }, CONFORMANCE],
  [{ default_pool_size: 5 }, { signals: false }, CONFORMANCE],
  [{ default_pool_size: 5, max_prepared_statements: 0 }, {}, CONFORMANCE],
] as const) {
  if (program.version < 1.021) {
    delete (settings as Record<string, unknown>)['max_prepared_statements'];
  }
  const pooler = await startPgBouncer(connectionString, settings);
  const shown = { ...options, ...('signals' in options && options.signals !== false ? { signals: 'past it' } : {}) };
  console.log(`\n${JSON.stringify(settings)}, options ${JSON.stringify(shown)}`);
  const passed = await runInherited('npx', ['vitest', 'run', ...(files.length === 0 ? tests : files)], {
    PERIGEE_POSTGRES_URL: pooler.url,
    PERIGEE_POSTGRES_OPTIONS: JSON.stringify(options),
  });
  failed += passed ? 0 : 1;
  await pooler.stop();
}
await postgres.stop({ mode: 'immediate' });
process.exitCode = failed === 0 ? 0 : 1;
