import { describe, expect, test } from 'vitest';
import { lifeText, lineageAfter, markOf, notedWithin, writesIn } from '../../src/sync/remote/lineage.ts';

/** Lives of one device: the number, and what chance gave. */
const FIRST = lifeText(1, 'aaaaaaaa');
const SECOND = lifeText(2, 'bbbbbbbb');
/** A life of the same number, as where a loss of power has taken one back whole. */
const SECOND_AGAIN = lifeText(2, 'cccccccc');
const THIRD = lifeText(3, 'dddddddd');

const name = (generation: number, life: string, device = 'phone'): string => `01941f29ba2a-0000-${device}.${generation}-${life}`;
const version = (write: string, seen: readonly string[] = []): Parameters<typeof writesIn>[0] => ({
  wire: { clock: '', write, digest: '', seen },
});

describe('the writes in a version', () => {
  test('are its own and the newest of each other device', () => {
    const laptop = name(3, FIRST, 'laptop');
    expect(writesIn(version(name(5, FIRST), [laptop, name(4, FIRST)]))).toEqual([name(5, FIRST), laptop]);
    expect(lineageAfter(name(9, FIRST, 'tablet'), [name(5, FIRST), laptop])).toEqual([name(9, FIRST, 'tablet'), name(5, FIRST), laptop]);
  });

  test('are bounded, and what strangers wrote is left out', () => {
    const many = Array.from({ length: 50 }, (_, index) => name(1, FIRST, `device-${index}`));
    expect(writesIn(version(name(5, FIRST), many))).toHaveLength(32);
    expect(writesIn(version('not a name', ['x y', name(3, FIRST, 'laptop')]))).toEqual([name(3, FIRST, 'laptop')]);
    expect(writesIn({ wire: undefined })).toEqual([]);
  });
});

describe('which noted write is in a version', () => {
  const now = name(9, THIRD);
  const table: readonly (readonly [string, within: string, noted: readonly string[], expected: string | undefined])[] = [
    ['the one that is named', name(6, THIRD), [name(5, THIRD), name(6, THIRD)], name(6, THIRD)],
    ['none, where it is of another device', name(6, FIRST, 'laptop'), [name(5, THIRD)], undefined],
    ['none, where it was acknowledged before', name(4, FIRST), [name(5, markOf(FIRST))], undefined],
    ['what was pending when the life was over', name(7, SECOND), [name(5, markOf(SECOND))], name(5, markOf(SECOND))],
    ['what was pending when an earlier life was over', name(7, SECOND), [name(5, markOf(FIRST))], name(5, markOf(FIRST))],
    ['the same write, of which the note is gone', name(5, SECOND), [name(5, markOf(SECOND))], name(5, markOf(SECOND))],
    ['what the life had noted before the loss', name(7, SECOND), [name(4, markOf(FIRST)), name(5, SECOND)], name(5, SECOND)],
    ['not what was written after the loss', name(7, SECOND), [name(5, markOf(FIRST)), name(6, THIRD)], name(5, markOf(FIRST))],
    ['not what was written after the loss, and pending when that life was over', name(7, SECOND), [name(6, markOf(THIRD))], undefined],
    ['not what was written in another life of the same number', name(7, SECOND), [name(6, markOf(SECOND_AGAIN))], undefined],
  ];

  test.each(table)('%s', (_name, within, noted, expected) => {
    expect(notedWithin(version(name(3, FIRST, 'laptop'), [within]), now, noted)).toBe(expected);
  });
});
