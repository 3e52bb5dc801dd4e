import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emulatorFiles } from '../../scripts/emulator-table.ts';
import { FEATURES, type FeatureId } from '../sdk/features.ts';
import { GAPS } from '../sdk/gaps.ts';
import { featureResults, untested, type EndedTest } from '../sdk/support/feature-results.ts';
import { chosenStores, STORE_NAMES } from '../sdk/support/store-names.ts';

const ended = (features: readonly FeatureId[], passed: boolean): readonly EndedTest[] =>
  STORE_NAMES.map((store) => ({ features, store, passed }));

test('docs/emulator.md has every feature and every difference', () => {
  const page = readFileSync('docs/emulator.md', 'utf8');
  for (const sentence of [...FEATURES.values(), ...GAPS.map(({ what }) => what)]) {
    expect(page).toContain(`| ${sentence} |`);
  }
});

describe('the table of what the emulator does', () => {
  test('says yes only for what passed on a store', () => {
    const results = featureResults([
      ...ended(['tls.certificate'], true),
      ...ended(['account.read'], true),
      ...ended(['account.read'], false),
      { features: ['conflicts.feed'], store: 'memory', passed: true },
    ]);
    const [page, readme] = emulatorFiles(results).map(({ text }) => text) as [string, string];
    expect(page).toContain(`| ${FEATURES.get('tls.certificate')} | yes | yes | yes | 1 |`);
    expect(page).toContain(`| ${FEATURES.get('account.read')} | 1 failed | 1 failed | 1 failed | 1 |`);
    expect(page).toContain(`| ${FEATURES.get('conflicts.feed')} | yes | not tested | not tested | 1 |`);
    expect(readme).toContain('| TLS | 1 | yes | yes | yes |');
    expect(readme).toContain('| Conflicts | 1 | yes | not tested | not tested |');
  });

  test('a feature that a store has no test of is named', () => {
    const results = featureResults([...ended(['account.read'], true), { features: ['tls.certificate'], store: 'sqlite', passed: true }]);
    expect(untested(results, ['account.read', 'tls.certificate', 'ttl.container'])).toEqual([
      'tls.certificate on memory',
      'tls.certificate on postgres',
      'ttl.container on memory',
      'ttl.container on sqlite',
      'ttl.container on postgres',
    ]);
  });
});

test('stores are chosen by name, and an unknown one is refused', () => {
  expect(chosenStores(undefined)).toEqual(['memory', 'sqlite', 'postgres']);
  expect(chosenStores('sqlite')).toEqual(['sqlite']);
  for (const names of ['mysql', 'memory,disk', '']) {
    expect(() => chosenStores(names)).toThrow('Stores: memory, sqlite, postgres.');
  }
});
