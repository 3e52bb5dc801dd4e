import { bindQuery } from '../../src/query/binder/bind-query.ts';
import { compileSqlitePlan } from '../../src/query/compile/sqlite/sqlite-plan.ts';
import { compilePipeline } from '../../src/query/evaluator/pipeline.ts';
import { createEnvironment } from '../../src/query/evaluator/query-environment.ts';
import { functionCatalog } from '../../src/query/functions/function-table.ts';
import { parseQuery } from '../../src/query/parser/parse-query.ts';
import { prepareQuery } from '../../src/query/prepare-query.ts';
import type { PreparedQuery } from '../../src/query/prepared-query.ts';
import { systemRuntime } from '../../src/core/runtime.ts';
import type { BenchResult } from '../harness.ts';

const TEXT =
  "SELECT c.id, c.title, c.rank FROM c WHERE c.type = @type AND c.rank > 5000 AND STARTSWITH(c.title, 'Document') ORDER BY c.rank DESC";
const PARAMETERS = [{ name: '@type', value: 'note' }];
const COLUMNS = { body: 'body', id: 'id', ts: 'ts' } as const;
const CALLS = 2000;
const ROUNDS = 9;

function compile(prepared: PreparedQuery): void {
  compileSqlitePlan(prepared, PARAMETERS, { columns: COLUMNS });
  compilePipeline(prepared, createEnvironment({ parameters: PARAMETERS, runtime: systemRuntime }));
}

/** Processor time, so that what else the machine does is not counted: the bar is absolute, without a baseline beside it. */
function medianMicroseconds(work: () => void): number {
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) {
      work();
    }
    if (round >= 0) {
      const { user, system } = process.cpuUsage(start);
      times.push((user + system) / CALLS);
    }
  }
  return times.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] as number;
}

/** What a query costs before its first row: for a text never seen, and for one seen before. The bar is 100 µs for all of it. */
export function* run(): Generator<BenchResult> {
  const bar = 100;
  const sides: readonly (readonly [string, () => void])[] = [
    ['compile: parse and bind', () => void bindQuery(parseQuery(TEXT), TEXT, functionCatalog)],
    ['compile: everything, text never seen', () => compile(bindQuery(parseQuery(TEXT), TEXT, functionCatalog))],
    ['compile: everything, text seen before', () => compile(prepareQuery(TEXT))],
    ['compile: look-up of a text seen before', () => void prepareQuery(TEXT)],
  ];
  for (const [name, work] of sides) {
    const value = medianMicroseconds(work);
    yield { name, value, unit: 'µs', baseline: bar, ratio: value / bar, bar: '<= 1', met: value <= bar };
  }
}
