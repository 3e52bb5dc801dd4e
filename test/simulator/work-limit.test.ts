import { expect, test } from 'vitest';
import { WorkLimit } from '../../src/simulator/oracle/work-limit.ts';

/** How much a run may do before it is stopped. */
function allowed(limit: WorkLimit): number {
  for (let count = 0; ; count += 1) {
    try {
      limit.count();
    } catch {
      return count;
    }
  }
}

test('a run that never ends is stopped at the same place each time, and said so once', () => {
  const said: string[] = [];
  const limit = new WorkLimit(undefined, (what) => said.push(what));
  const most = allowed(limit);
  expect(limit.isOver).toBe(true);
  expect(allowed(limit)).toBe(0);
  expect(said).toEqual([`the run never ends: it has come to ${most + 1} statements and requests`]);
  expect(allowed(new WorkLimit(undefined, () => undefined))).toBe(most);
});

test('a longer run may do more', () => {
  const [short, long] = [60, 600].map((steps) => allowed(new WorkLimit(steps, () => undefined))) as [number, number];
  expect(long).toBeGreaterThan(short);
});
