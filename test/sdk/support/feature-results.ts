import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FeatureId } from '../features.ts';
import { STORE_NAMES, type StoreName } from './store-names.ts';

/** What became of the tests of a feature on one store. */
export interface FeatureResult {
  readonly passed: number;
  readonly failed: number;
}

/** Results of every feature that has tests, on every store that ran. */
export type FeatureResults = Readonly<Record<string, Readonly<Partial<Record<StoreName, FeatureResult>>>>>;

/** One test as it ended. */
export interface EndedTest {
  readonly features: readonly FeatureId[];
  readonly store: StoreName;
  readonly passed: boolean;
}

/** Where the last complete run is kept, which the table is made of. */
const FILE = 'node_modules/.cache/perigee/sdk-features.json';

/** Sums tests up. */
export function featureResults(tests: readonly EndedTest[]): FeatureResults {
  const results: Record<string, Partial<Record<StoreName, FeatureResult>>> = {};
  for (const { features, store, passed } of tests) {
    for (const feature of features) {
      const stores = (results[feature] ??= {});
      const known = stores[store] ?? { passed: 0, failed: 0 };
      stores[store] = { passed: known.passed + (passed ? 1 : 0), failed: known.failed + (passed ? 0 : 1) };
    }
  }
  return results;
}

/** Features that a store has no test of, as `feature on store`. */
export function untested(results: FeatureResults, features: Iterable<string>): readonly string[] {
  return Array.from(features).flatMap((feature) =>
    STORE_NAMES.filter((store) => results[feature]?.[store] === undefined).map((store) => `${feature} on ${store}`),
  );
}

export function keepResults(results: FeatureResults): void {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, JSON.stringify(results));
}

/** The results of the last complete run. @throws where there was none */
export function lastResults(): FeatureResults {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as FeatureResults;
  } catch (cause) {
    throw new Error('There are no results of a complete run: first run `npm run test:sdk`.', { cause });
  }
}
