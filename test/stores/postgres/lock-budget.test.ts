import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LockBudget } from '../../../src/stores/postgres/lock-budget.ts';

test('calls never hold more than there is, begin in their order, and all have their turn, whether or not they fail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 10 }), fc.nat(5), fc.boolean()), { maxLength: 40 }), async (calls) => {
      const budget = new LockBudget(10);
      const begun: number[] = [];
      let held = 0;
      const runs = calls.map(([amount, turns, fails], index) =>
        budget.run(amount, async () => {
          begun.push(index);
          held += amount;
          expect(held).toBeLessThanOrEqual(10);
          for (let turn = 0; turn < turns; turn += 1) {
            await Promise.resolve();
          }
          held -= amount;
          if (fails) {
            throw new Error('refused');
          }
          return index;
        }),
      );
      const results = await Promise.allSettled(runs);
      expect(results.map(({ status }) => status)).toEqual(calls.map(([, , fails]) => (fails ? 'rejected' : 'fulfilled')));
      expect(begun).toEqual([...calls.keys()]);
    }),
    { numRuns: 200, seed: 14 },
  );
});
