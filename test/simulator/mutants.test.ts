import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkPlaces, mutate } from '../../scripts/mutants/build-mutant.ts';
import { MUTANTS } from '../../scripts/mutants/mutant-table.ts';

test('each fault of the table has its one place in the sources', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(MUTANTS.map(({ fault }) => fault)).size).toBe(MUTANTS.length);
  checkPlaces(MUTANTS);
});

test('a fault whose place is gone is reported', () => {
  const [mutant] = MUTANTS;
  expect(() => mutate(mutant as (typeof MUTANTS)[number], 'nothing')).toThrow('Correct the table of mutants');
});

test('a fault that is put in is found, and the command says where', { timeout: 120_000 }, () => {
  const run = spawnSync('npm', ['run', '--silent', 'mutants', '--', '--seeds', '40', '--only', 'no longer pending once it is sent'], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  expect(run.stdout).toContain('without a fault: 40 seeds, nothing found');
  expect(run.stdout).toContain('1 of 1 faults found.');
  expect(run.status).toBe(0);
});

test('the command that runs seeds says what it did', { timeout: 60_000 }, () => {
  const run = spawnSync('npm', ['run', '--silent', 'simulate', '--', '--seeds', '3', '--seed', '7', '--trace'], { encoding: 'utf8' });
  expect(run.stdout).toMatch(/^seed 7$/mu);
  expect(run.stdout).toMatch(/3 seeds from 7: 0 failed; \d+ edits, \d+ requests, \d+ crashes/u);
  expect(run.status).toBe(0);
  expect(JSON.parse(readFileSync('package.json', 'utf8'))).toMatchObject({ scripts: { simulate: 'tsx scripts/simulate.ts' } });
});
