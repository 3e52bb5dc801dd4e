import { expect, test } from 'vitest';
import { CRASH_POINTS, runCrashes } from './crash-run.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_120);

test(
  'a device killed with SIGKILL at every named point and at random moments loses no acknowledged write',
  { timeout: 180_000 },
  async () => {
    const { acknowledged, deaths, documents } = await runCrashes({ seed: SEED, randomDeaths: 6, deathsPerPoint: 1 });
    console.log(
      `seed ${SEED}: ${acknowledged} acknowledged writes, ${documents} documents equal on three sides; deaths: ${JSON.stringify(deaths)}`,
    );
    expect(Object.keys(deaths).toSorted()).toEqual(['random', ...CRASH_POINTS].toSorted());
    expect(Object.values(deaths).every((count) => count > 0)).toBe(true);
    expect(acknowledged).toBeGreaterThan(100);
  },
);
