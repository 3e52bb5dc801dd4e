import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DIMENSIONS, MIXES, simulate } from '../../src/simulator/index.ts';
import { makeScratchFolder } from '../../src/simulator/scratch-folder.ts';
import { clientWins, mergeFields, serverWins, type ConflictPolicy } from '../../src/sync/index.ts';

const SEEDS = Number(process.env['PERIGEE_SEEDS'] ?? 1000);
const FIRST_SEED = Number(process.env['PERIGEE_SEED'] ?? 1);

let folder = '';

beforeAll(() => {
  folder = makeScratchFolder();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  `devices, lines, clocks and disks under ${SEEDS} seeds: nothing acknowledged is lost, and all end equal`,
  { timeout: 600_000 },
  async () => {
    const total = { edits: 0, requests: 0, crashes: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const report = await simulate({ seed, folder });
      expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --trace`).toEqual([]);
      total.edits += report.edits;
      total.requests += report.requests;
      total.crashes += report.crashes;
    }
    // A simulation in which nothing happens would find nothing.
    expect(total.edits).toBeGreaterThan(SEEDS * 5);
    expect(total.requests).toBeGreaterThan(SEEDS * 10);
    expect(total.crashes).toBeGreaterThan(SEEDS / 2);
  },
);

test.each([
  [1_008_811, 'a document that a stranger deleted before the container was made again passes for forgotten, be it sent as a dead letter'],
  [1_012_559, 'the same, where the remote was restored'],
  [1_008_153, 'a reconciliation did not look at the markers where the push and the pull could not'],
  [1_020_601, 'a marker made anew by a device that had lost its file passed for the one in an older backup'],
])('seed %i, which once failed, holds: %s', async (seed) => {
  expect((await simulate({ seed, folder, dimensions: [] })).violations).toEqual([]);
});

test.each([
  [30_035, undefined, 'a deletion of a transaction that was refused had been carried out before, and its device made the document again'],
  [30_286, undefined, 'two documents of a transaction that strangers made and deleted meanwhile passed for a unique value that is taken'],
  [40_290, [], 'a deletion of a transaction was carried out by a stranger, and another device made the document again'],
] as const)('seed %i with doubts, which once failed, holds (%j): %s', async (seed, dimensions, _what) => {
  expect((await simulate({ seed, folder, mix: 'doubts', dimensions })).violations).toEqual([]);
});

test.each([
  [60_116, undefined],
  [70_133, ['processes']],
] as const)(
  'seed %i with losses of power, which once failed where devices merge, holds (%j): an edit made after the loss passed for one that had been sent',
  async (seed, dimensions) => {
    expect((await simulate({ seed, folder, mix: 'power', dimensions, policy: mergeFields() })).violations).toEqual([]);
  },
);

test('seed 11 with backups, which once failed, holds: what a backup brought back and forgot again had been replaced before', async () => {
  expect((await simulate({ seed: 11, folder, mix: 'backups' })).violations).toEqual([]);
});

test('seed 61003 with backups and the SDK, which once failed, holds: a write behind a transaction that was given up meets the remote when it is sent', async () => {
  expect((await simulate({ seed: 61_003, folder, mix: 'backups', remote: 'sdk' })).violations).toEqual([]);
});

test('seed 1211, which once failed, holds: what had expired and was pending went as a new version of the program opened the file', async () => {
  expect((await simulate({ seed: 1211, folder })).violations).toEqual([]);
});

test.each(DIMENSIONS)('worlds with %s hold, and repeat from their seed', { timeout: 120_000 }, async (dimension) => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const report = await simulate({ seed, folder, dimensions: [dimension] });
    expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --with ${dimension} --trace`).toEqual([]);
    expect(report.trace[0]).toContain(dimension);
    if (seed === 1) {
      expect((await simulate({ seed, dimensions: [dimension] })).trace).toEqual(report.trace);
    }
  }
});

test.each(MIXES)('worlds with %s events hold, and repeat from their seed', { timeout: 120_000 }, async (mix) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const report = await simulate({ seed, folder, mix });
    expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --mix ${mix} --trace`).toEqual([]);
    expect(report.trace[0]).toContain(`${mix} events`);
    if (seed === 1) {
      expect((await simulate({ seed, mix })).trace).toEqual(report.trace);
    }
  }
});

test('partitions that split and merge under the official SDK stop nobody', { timeout: 120_000 }, async () => {
  const traces: string[] = [];
  for (let seed = 1; seed <= 6; seed += 1) {
    const report = await simulate({ seed, folder, remote: 'sdk', dimensions: ['splits'] });
    expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --sdk --with splits --trace`).toEqual([]);
    traces.push(...report.trace);
  }
  expect(traces.some((line) => line.includes('a partition of the remote splits'))).toBe(true);
  expect(traces.some((line) => line.includes('a partition of the remote merges'))).toBe(true);
});

test('the same seed gives the same trace, line by line; another seed another', async () => {
  for (const seed of [1, 5, 29]) {
    const [one, two] = [await simulate({ seed, folder }), await simulate({ seed })];
    expect(two.trace).toEqual(one.trace);
    expect((await simulate({ seed: seed + 1000, folder })).trace).not.toEqual(one.trace);
  }
});

test('more devices and longer runs hold as well', { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= 15; seed += 1) {
    const report = await simulate({ seed, folder, devices: 5, steps: 200 });
    expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --devices 5 --steps 200 --trace`).toEqual([]);
  }
});

test(
  'devices that reach the remote through the official SDK lose nothing either, and repeat from their seed',
  { timeout: 120_000 },
  async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const report = await simulate({ seed, folder, remote: 'sdk' });
      expect(report.violations, `npm run simulate -- --seeds 1 --seed ${seed} --sdk --trace`).toEqual([]);
      if (seed % 10 === 0) {
        expect((await simulate({ seed, remote: 'sdk' })).trace).toEqual(report.trace);
      }
    }
  },
);

describe('with a policy', () => {
  /** An application's own: the longer text stays, and of two of one length the greater. */
  const longer: ConflictPolicy = ({ local, remote }) => {
    const [mine, theirs] = [local, remote].map(({ document }) => (document?.['text'] as string | undefined) ?? '') as [string, string];
    return (mine.length === theirs.length ? mine > theirs : mine.length > theirs.length) ? 'local' : 'remote';
  };

  test.each([
    ['server wins', serverWins],
    ['client wins', clientWins],
    ["an application's own", longer],
  ])('%s, nothing acknowledged is lost', { timeout: 120_000 }, async (_, policy) => {
    for (let seed = 1; seed <= 100; seed += 1) {
      expect((await simulate({ seed, folder, policy })).violations, `seed ${seed}`).toEqual([]);
    }
  });

  test('that merges fields, all end equal', { timeout: 120_000 }, async () => {
    const policy = mergeFields();
    for (let seed = 500; seed <= 600; seed += 1) {
      expect((await simulate({ seed, folder, policy })).violations, `seed ${seed}`).toEqual([]);
    }
  });
});
