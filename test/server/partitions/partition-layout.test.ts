import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  evenLayout,
  growLayout,
  mergeRange,
  rangeById,
  splitRange,
  SINGLE_PARTITION,
  type PartitionLayout,
} from '../../../src/server/partitions/partition-layout.ts';
import { scopeOfRange, touchedRanges } from '../../../src/server/partitions/range-scope.ts';
import type { PartitionKeyDefinition } from '../../../src/store/container-definition.ts';
import { effectivePartitionKey, isInEpkRange } from '../../../src/store/effective-partition-key.ts';

const V1: PartitionKeyDefinition = { paths: ['/a'], kind: 'Hash', version: 1 };
const V2: PartitionKeyDefinition = { paths: ['/a'], kind: 'Hash', version: 2 };
const MULTI: PartitionKeyDefinition = { paths: ['/a', '/b'], kind: 'MultiHash', version: 2 };

const definition = fc.constantFrom(V1, V2, MULTI);
const component = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
);

interface Change {
  readonly merge: boolean;
  readonly at: number;
}

const changes = fc.array(fc.record({ merge: fc.boolean(), at: fc.nat(100) }), { maxLength: 25 });

function changed(start: PartitionLayout, list: readonly Change[], of: PartitionKeyDefinition): PartitionLayout {
  return list.reduce((layout, { merge, at }) => {
    const { id } = layout.ranges[at % layout.ranges.length] as { id: string };
    const isLast = id === layout.ranges.at(-1)?.id;
    return merge && !isLast ? mergeRange(layout, id) : splitRange(layout, id, of);
  }, start);
}

describe('partition layouts', () => {
  test('cover the hash space without gap or overlap, whatever is split and merged, and every key lies in one range', () => {
    fc.assert(
      fc.property(definition, fc.integer({ min: 1, max: 12 }), changes, fc.array(component, { maxLength: 20 }), (of, count, list, keys) => {
        const { ranges } = changed(evenLayout(count, of), list, of);
        expect([ranges[0]?.min, ranges.at(-1)?.max]).toEqual(['', 'FF']);
        ranges.slice(1).forEach((range, index) => expect(range.min).toBe(ranges[index]?.max));
        expect(new Set(ranges.map(({ id }) => id)).size).toBe(ranges.length);
        for (const key of keys) {
          const epk = effectivePartitionKey(of === MULTI ? [key, 'x'] : [key], of);
          expect(ranges.filter((range) => isInEpkRange(epk, range))).toHaveLength(1);
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test('know the parents of a range, all the way, and answer for the old ones as the service does', () => {
    const two = splitRange(SINGLE_PARTITION, '0', V2, undefined, { completingUntilMs: 1000 });
    expect(two.ranges.map(({ id, parents }) => [id, parents])).toEqual([
      ['1', ['0']],
      ['2', ['0']],
    ]);
    const three = splitRange(two, '2', V2);
    expect(three.ranges.map(({ id, parents }) => [id, parents])).toEqual([
      ['1', ['0']],
      ['3', ['0', '2']],
      ['4', ['0', '2']],
    ]);
    expect(() => rangeById(three, '0', 999)).toThrow(expect.objectContaining({ code: 'GONE', subStatus: 1007 }));
    expect(() => rangeById(three, '0', 1000)).toThrow(expect.objectContaining({ code: 'GONE', subStatus: 1002 }));
    expect(() => rangeById(three, '2', 0)).toThrow(expect.objectContaining({ code: 'GONE', subStatus: 1002 }));
    expect(() => rangeById(three, 'never', 0)).toThrow(expect.objectContaining({ code: 'GONE', subStatus: 1002 }));
    const merged = mergeRange(three, '1', { completingUntilMs: 5 });
    expect(merged.ranges.map(({ id }) => id)).toEqual(['5', '4']);
    expect(() => rangeById(merged, '3', 4)).toThrow(expect.objectContaining({ code: 'GONE', subStatus: 1008 }));
  });

  test('of new containers lie where the service puts them', () => {
    expect(evenLayout(2, V2).ranges[1]?.min).toBe('1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF');
    expect(evenLayout(4, V1).ranges.map(({ min }) => min)).toEqual(['', '05C1CFFFFFFFF8', '05C1DFFFFFFFF8', '05C1E7FFFFFFFA']);
    const bounds = ['', '05C1C9CD673398', '05C1D9CD673398', '05C1E399CD6732', '05C1E9CD673398'];
    expect(evenLayout(5, V1).ranges.map(({ min }) => min)).toEqual(bounds);
  });

  test('grow by splitting the widest range', () => {
    const grown = growLayout(SINGLE_PARTITION, 4, V2);
    expect(grown.ranges.map(({ min }) => min)).toEqual([
      '',
      '10000000000000000000000000000000',
      '20000000000000000000000000000000',
      '30000000000000000000000000000000',
    ]);
    expect(growLayout(grown, 2, V2)).toBe(grown);
  });

  test('a place to split lies within the range', () => {
    const [, second] = evenLayout(2, V2).ranges;
    for (const at of ['', 'FF', '10', 'nonsense', second?.min as string]) {
      expect(() => splitRange(evenLayout(2, V2), '1', V2, at)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
    expect(splitRange(evenLayout(2, V2), '1', V2, '3A').ranges.map(({ min }) => min)).toEqual(['', second?.min, '3A']);
  });
});

describe('the scope of a request', () => {
  const layout = evenLayout(4, V2);
  const bounds = layout.ranges.map(({ min }) => min);

  test('is a range, several adjacent ones, or a part of them', () => {
    const scope = (rangeId?: string, startEpk?: string, endEpk?: string): unknown => scopeOfRange(layout, { rangeId, startEpk, endEpk }, 0);
    expect(scope()).toBeUndefined();
    expect(scope('0,1,2,3')).toBeUndefined();
    expect(scope('1')).toEqual({ min: bounds[1], max: bounds[2] });
    expect(scope('2,1')).toEqual({ min: bounds[1], max: bounds[3] });
    expect(scope('1', '11', '12')).toEqual({ min: '11', max: '12' });
    // What lies outside of the range is another's.
    expect(scope('1', '', 'FF')).toEqual({ min: bounds[1], max: bounds[2] });
    expect(scope(undefined, '05', '06')).toEqual({ min: '05', max: '06' });
  });

  test('is refused where it is empty, has a gap or names what is gone', () => {
    for (const rangeId of ['0,2', '0,0']) {
      expect(() => scopeOfRange(layout, { rangeId, startEpk: undefined, endEpk: undefined }, 0)).toThrow(
        expect.objectContaining({ code: 'BAD_REQUEST' }),
      );
    }
    expect(() => scopeOfRange(layout, { rangeId: '0', startEpk: '30', endEpk: '31' }, 0)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
    expect(() => scopeOfRange(layout, { rangeId: '9', startEpk: undefined, endEpk: undefined }, 0)).toThrow(
      expect.objectContaining({ code: 'GONE' }),
    );
  });

  test('touches the one range of a full key, those of a prefix, or all', () => {
    expect(touchedRanges(layout, V2, ['ada'], undefined)).toHaveLength(1);
    expect(touchedRanges(layout, V2, undefined, undefined)).toHaveLength(4);
    expect(touchedRanges(layout, V2, undefined, { min: '05', max: '11' }).map(({ id }) => id)).toEqual(['0', '1']);
    expect(touchedRanges(evenLayout(4, MULTI), MULTI, ['ada'], undefined)).toHaveLength(1);
  });
});
