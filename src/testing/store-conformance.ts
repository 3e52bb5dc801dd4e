import { allVersionsSuite } from './conformance/all-versions.suite.ts';
import { batchSuite } from './conformance/batch.suite.ts';
import { bulkSuite } from './conformance/bulk.suite.ts';
import { changesSuite } from './conformance/changes.suite.ts';
import { conformanceContext, type ConformanceContext, type StoreConformanceOptions } from './conformance/conformance-context.ts';
import { explainSuite } from './conformance/explain.suite.ts';
import { keysSuite } from './conformance/keys.suite.ts';
import { lifecycleSuite } from './conformance/lifecycle.suite.ts';
import { managementSuite } from './conformance/management.suite.ts';
import { patchSuite } from './conformance/patch.suite.ts';
import { queriesSuite } from './conformance/queries.suite.ts';
import { readsSuite } from './conformance/reads.suite.ts';
import { snapshotTimesSuite } from './conformance/snapshot-times.suite.ts';
import { snapshotsSuite } from './conformance/snapshots.suite.ts';
import { timeToLiveSuite } from './conformance/time-to-live.suite.ts';
import { transactSuite } from './conformance/transact.suite.ts';
import { uniqueKeysSuite } from './conformance/unique-keys.suite.ts';
import { valuesSuite } from './conformance/values.suite.ts';
import { versionRetentionSuite } from './conformance/version-retention.suite.ts';
import { watchSuite } from './conformance/watch.suite.ts';
import { writesSuite } from './conformance/writes.suite.ts';

const TOPICS: readonly (readonly [string, (context: ConformanceContext) => void])[] = [
  ['keys', keysSuite],
  ['values', valuesSuite],
  ['reads', readsSuite],
  ['writes', writesSuite],
  ['patch', patchSuite],
  ['batch', batchSuite],
  ['bulk', bulkSuite],
  ['time to live', timeToLiveSuite],
  ['unique keys', uniqueKeysSuite],
  ['queries', queriesSuite],
  ['explain', explainSuite],
  ['change feed', changesSuite],
  ['change feed of all versions', allVersionsSuite],
  ['retention of versions', versionRetentionSuite],
  ['watch', watchSuite],
  ['transactions', transactSuite],
  ['databases and containers', managementSuite],
  ['life cycle', lifecycleSuite],
  ['snapshots', snapshotsSuite],
  ['times of snapshots', snapshotTimesSuite],
];

/**
 * The suite that defines the contract of {@link Backend} and {@link DocumentStore}: a backend is one when it passes.
 *
 * Every test opens a backend of its own. What a backend says it cannot do is asserted to be refused with NOT_SUPPORTED; what cannot be checked
 * is left out with a printed reason. The runner is the caller's: Vitest, `node:test`, Mocha (pass `it` as `test`).
 *
 * @example
 * ```ts
 * import { describe, test } from 'vitest';
 * import { openMemoryBackend } from 'perigee/memory';
 * import { storeConformance } from 'perigee/testing';
 *
 * storeConformance({
 *   runner: { describe, test },
 *   open: async ({ runtime }) => {
 *     const backend = openMemoryBackend({ runtime });
 *     return { backend, dispose: () => backend.close() };
 *   },
 * });
 * ```
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const context = conformanceContext(options);
  options.runner.describe(options.name ?? 'store conformance', () => {
    for (const [topic, suite] of TOPICS) {
      options.runner.describe(topic, () => suite(context));
    }
  });
}
