import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { emulatorFiles } from '../../../scripts/emulator-table.ts';
import { FEATURES } from '../features.ts';
import { featureResults, keepResults, untested, type EndedTest } from './feature-results.ts';
import { chosenStores, STORE_NAMES } from './store-names.ts';

const FOLDER = 'test/sdk';

function endedTests(modules: readonly TestModule[]): readonly EndedTest[] {
  return modules.flatMap((module) =>
    Array.from(module.children.allTests()).flatMap((test) => {
      const { features, store } = test.meta();
      return features === undefined || store === undefined ? [] : [{ features, store, passed: test.result().state === 'passed' }];
    }),
  );
}

/** Why a run says nothing of all features; `undefined` for a complete one. */
function whyPartial(modules: readonly TestModule[]): string | undefined {
  if (chosenStores().length < STORE_NAMES.length) {
    return 'not every store was chosen';
  }
  if (modules.length < readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts')).length) {
    return 'not every file was run';
  }
  const isSkipped = modules.some((module) => Array.from(module.children.allTests()).some((test) => test.result().state === 'skipped'));
  return isSkipped ? 'some tests were left out' : undefined;
}

/**
 * Fails a complete run in which a feature has no test, or after which the table of what works is not what it should be; keeps its results for the
 * table.
 */
export class FeatureReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const partial = whyPartial(modules);
    if (partial !== undefined) {
      console.log(`Features are not compared with their table: ${partial}.`);
      return;
    }
    const results = featureResults(endedTests(modules));
    keepResults(results);
    const missing = untested(results, FEATURES.keys());
    if (missing.length > 0) {
      console.error(`Features without a test: ${missing.join(', ')}.`);
      process.exitCode = 1;
      return;
    }
    for (const { path, text } of emulatorFiles(results)) {
      if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
        console.error(`${path} does not say what the tests show. Write it anew with: npm run emulator-table`);
        process.exitCode = 1;
      }
    }
  }
}
