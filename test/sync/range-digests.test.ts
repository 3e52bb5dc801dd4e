import { describe, expect, test } from 'vitest';
import { RangeDigests, rangeOf, type SideEntry } from '../../src/sync/verify/range-digests.ts';
import { digestOf } from '../../src/sync/remote/wire-stamp.ts';

const entries: readonly SideEntry[] = Array.from({ length: 3000 }, (_, index) => ({
  id: `d${index}`,
  etag: `"${index}"`,
  digest: digestOf({ index }),
}));

function folded(some: Iterable<SideEntry>): RangeDigests {
  const digests = new RangeDigests();
  for (const entry of some) {
    digests.add(entry);
  }
  return digests;
}

describe('ranges', () => {
  test('spread ids, and are alike whatever the order', () => {
    expect(new Set(entries.map(({ id }) => rangeOf(id))).size).toBeGreaterThan(900);
    expect(folded(entries).differing(folded(entries.toReversed()), 100)).toEqual([]);
  });

  test('differ where an id, an etag or a digest does, and nowhere else', () => {
    const all = folded(entries);
    const at = entries[7] as SideEntry;
    for (const changed of [
      { ...at, etag: '"x"' },
      { ...at, digest: digestOf({}) },
    ]) {
      const other = folded(entries.with(7, changed));
      expect(other.differing(all, 100)).toEqual([new Set([rangeOf(at.id)])]);
    }
    expect(folded(entries.toSpliced(7, 1)).differing(all, 100)).toEqual([new Set([rangeOf(at.id)])]);
  });

  test('that differ come in groups with no more documents than are held', () => {
    const all = folded(entries);
    const groups = all.differing(new RangeDigests(), 500);
    expect(groups.flatMap((group) => [...group])).toEqual([...new Set(entries.map(({ id }) => rangeOf(id)))].toSorted((a, b) => a - b));
    const sizes = groups.map((group) => [...group].reduce((sum, range) => sum + all.countIn(range), 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(groups.length).toBeLessThanOrEqual(8);
  });
});
