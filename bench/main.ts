/**
 * Benchmarks: `npm run bench [-- name ...] [--json FILE]`. Each measures a ratio against a baseline in the same run, the two sides interleaved
 * and medians taken, because a machine's speed drifts more between runs than within one.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { BenchResult } from './harness.ts';

/** A group of measurements; its module is loaded only when it runs. */
const groups: Readonly<Record<string, () => Promise<{ run: () => AsyncIterable<BenchResult> | Iterable<BenchResult> }>>> = {
  'local-write': () => import('./cases/local-write.ts'),
  'bulk-write': () => import('./cases/bulk-write.ts'),
  'point-read': () => import('./cases/point-read.ts'),
  'stored-form': () => import('./cases/stored-form.ts'),
  query: () => import('./cases/query.ts'),
  'query-compile': () => import('./cases/query-compile.ts'),
  'query-memory': () => import('./cases/query-memory.ts'),
  'pull-apply': () => import('./cases/pull-apply.ts'),
  push: () => import('./cases/push.ts'),
  'second-sync': () => import('./cases/second-sync.ts'),
  'sync-write': () => import('./cases/sync-write.ts'),
  'sync-load': () => import('./cases/sync-load.ts'),
  'sync-push': () => import('./cases/sync-push.ts'),
  'sync-change': () => import('./cases/sync-change.ts'),
  'server-start': () => import('./cases/server-start.ts'),
  server: () => import('./cases/server.ts'),
  emulator: () => import('./cases/emulator.ts'),
  postgres: () => import('./cases/postgres.ts'),
  'postgres-memory': () => import('./cases/postgres-memory.ts'),
  'postgres-text': () => import('./cases/postgres-text.ts'),
  'postgres-spatial': () => import('./cases/postgres-spatial.ts'),
  'postgres-vectors': () => import('./cases/postgres-vectors.ts'),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' }, help: { type: 'boolean' } } });
/** A name selects its group and those whose names it begins, as `query` and `sync` do. */
const selects = (name: string, group: string): boolean => group === name || group.startsWith(`${name}-`);
const isSelected = (group: string): boolean => positionals.length === 0 || positionals.some((name) => selects(name, group));
const unknown = positionals.filter((name) => !Object.keys(groups).some((group) => selects(name, group)));
if (values.help === true || unknown.length > 0) {
  console.log(
    `${unknown.length > 0 ? `Unknown benchmark ${unknown.join(', ')}.\n` : ''}npm run bench [-- name ...] [--json FILE]\nNames: ${Object.keys(groups).join(', ')}`,
  );
  process.exit(unknown.length > 0 ? 64 : 0);
}

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const results: BenchResult[] = [];
console.log(`${'measure'.padEnd(48)} ${'value'.padStart(10)} ${'baseline'.padStart(10)}  ${'unit'.padEnd(14)} ${'ratio'.padStart(6)}  bar`);
for (const [name, load] of Object.entries(groups)) {
  if (!isSelected(name)) {
    continue;
  }
  const { run } = await load();
  for await (const result of run()) {
    results.push(result);
    const verdict = result.met === null ? '' : result.met ? `${result.bar}  met` : `${result.bar}  MISSED`;
    console.log(
      `${result.name.padEnd(48)} ${number.format(result.value).padStart(10)} ${number.format(result.baseline).padStart(10)}  ${result.unit.padEnd(14)} ${result.ratio.toFixed(2).padStart(6)}  ${verdict}`,
    );
  }
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
