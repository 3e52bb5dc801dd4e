import { expect, test } from 'vitest';
import { runLoad } from './run-load.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_129);

test.each(['sqlite', 'memory'] as const)(
  'clients of the SDK at work at the same time get the answers of their models from a server on %s',
  { timeout: 180_000 },
  async (store) => {
    const { operations, refusals, figures, changes } = await runLoad({
      seed: SEED,
      store,
      program: 'source',
      documents: 800,
      connections: 6,
      until: { operations: 900 },
    });
    console.log(`seed ${SEED}: ${operations} operations on ${store}, all as their models say`);
    // Everything was done that is to be checked, also what is to be refused.
    expect(Object.keys(figures)).toHaveLength(24);
    expect(Object.keys(refusals).toSorted()).toEqual(['304', '400', '404', '409', '412']);
    expect(changes).toBeGreaterThan(100);
  },
);
