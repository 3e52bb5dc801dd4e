import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.ts';
import { testUndefined } from '../function-cases.ts';
import { call, circle, field, line, multiPolygon, point, polygon, seed, type Shape } from './shapes.ts';

function reasonOf(shape: Shape): string {
  const detailed = call('ST_ISVALIDDETAILED', shape) as { valid: boolean; reason?: string };
  expect(call('ST_ISVALID', shape)).toBe(detailed.valid);
  return detailed.valid ? 'valid' : (detailed.reason ?? 'no reason');
}

const clockwise = <T>(ring: readonly T[]): T[] => ring.toReversed();

describe('valid geometries', () => {
  test.each<[name: string, shape: Shape]>([
    ['a point', point(180, 90)],
    ['a point with an altitude', { type: 'Point', coordinates: [1, 2, 3000] }],
    ['a line that crosses itself', line([0, 0], [2, 2], [2, 0], [0, 2])],
    ['a line that stops for a while', line([0, 0], [0, 0], [1, 1])],
    ['a polygon', polygon(field(0, 0, 1, 1))],
    ['a polygon with a hole', polygon(field(0, 0, 9, 9), clockwise(field(1, 1, 2, 2)))],
    [
      'a hole that touches the exterior ring at a point',
      polygon(field(0, 0, 9, 9), [
        [0, 0],
        [2, 4],
        [4, 2],
      ]),
    ],
    ['everything around a field', polygon(clockwise(field(0, 0, 1, 1)))],
    [
      'a belt around the equator',
      polygon(
        [
          [0, -1],
          [120, -1],
          [-120, -1],
        ],
        [
          [0, 1],
          [-120, 1],
          [120, 1],
        ],
      ),
    ],
    [
      'a polar cap',
      polygon([
        [0, 80],
        [120, 80],
        [-120, 80],
      ]),
    ],
    ['a field across the antimeridian', polygon(field(179, -1, -179, 1))],
    [
      'a ring that touches itself',
      polygon([
        [0, 0],
        [4, 0],
        [4, 4],
        [2, 0.5],
        [0, 4],
      ]),
    ],
    ['a MultiPolygon', multiPolygon([field(52, 12, 53, 13)], [field(50, 0, 51, 5)])],
    ['an empty MultiPolygon', multiPolygon()],
    ['fields that touch at a corner', multiPolygon([field(0, 0, 1, 1)], [field(1, 1, 2, 2)])],
    ['an island in a hole', multiPolygon([field(0, 0, 9, 9), clockwise(field(1, 1, 8, 8))], [field(3, 3, 4, 4)])],
    ['as many positions as are allowed', polygon(circle([10, 50], 1, 4095))],
  ])('%s', (_, shape) => {
    expect(reasonOf(shape)).toBe('valid');
  });
});

describe('invalid geometries', () => {
  test.each<[name: string, shape: Shape, reason: RegExp]>([
    ['no GeoJSON type', { type: 'Circle', coordinates: [1, 2] }, /'type' is not Point/],
    ['a kind that the service does not take', { type: 'MultiPoint', coordinates: [[1, 2]] }, /'type' is not Point/],
    ['no coordinates', { type: 'Point', coordinates: undefined }, /position must be an array/],
    ['one coordinate', { type: 'Point', coordinates: [1] }, /two or more numbers/],
    ['a coordinate that is no number', { type: 'Point', coordinates: [1, '2'] }, /two or more numbers/],
    ['an altitude that is no number', { type: 'Point', coordinates: [1, 2, null] }, /two or more numbers/],
    ['a longitude out of range', point(180.5, 0), /Longitude values must be between -180 and 180/],
    ['a line of one place', line([1, 1], [1, 1]), /two distinct points/],
    ['an empty line', line(), /two distinct points/],
    ['an edge between antipodes', line([0, 10], [180, -10]), /antipodal/],
    ['no rings', { type: 'Polygon', coordinates: [] }, /no rings/],
    [
      'a ring of two edges',
      polygon([
        [0, 0],
        [1, 1],
      ]),
      /ring number 1 does not have enough points/,
    ],
    [
      'a second ring without points',
      {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [9, 0],
            [0, 9],
            [0, 0],
          ],
          [],
        ],
      },
      /ring number 2/,
    ],
    [
      'a ring of two places',
      polygon([
        [0, 0],
        [1, 1],
        [0, 0],
        [1, 1],
      ]),
      /fewer than three distinct|overlap/,
    ],
    [
      'a spike',
      polygon([
        [0, 0],
        [4, 0],
        [4, 4],
        [4, 0],
      ]),
      /overlap/,
    ],
    [
      'a bow tie',
      polygon([
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1],
      ]),
      /ring number 1 intersects/,
    ],
    [
      'a bow tie with a corner where it crosses',
      polygon([
        [0, 0],
        [2, 0],
        [4, 4],
        [5, 0],
        [3, -2],
        [2, 0],
        [0, 3],
      ]),
      /intersects/,
    ],
    ['a hole outside', polygon(field(0, 0, 1, 1), clockwise(field(2, 2, 3, 3))), /ring number 2 has the inside on its right/],
    ['a hole that runs the wrong way', polygon(field(0, 0, 9, 9), field(1, 1, 2, 2)), /ring number 2 has the inside on its right/],
    ['a hole in a hole', polygon(field(0, 0, 9, 9), clockwise(field(1, 1, 5, 5)), clockwise(field(2, 2, 3, 3))), /ring number 3/],
    ['a hole across the exterior ring', polygon(field(0, 0, 2, 2), clockwise(field(1, 0.5, 3, 1))), /ring number 2 intersects/],
    ['fields that share a side', multiPolygon([field(0, 0, 1, 1)], [field(1, 0, 2, 1)]), /overlap/],
    ['fields that share a part of a side', multiPolygon([field(0, 0, 1, 3)], [field(1, 1, 2, 2)]), /overlap/],
    ['a field in another', multiPolygon([field(0, 0, 9, 9)], [field(1, 1, 2, 2)]), /inside on its right/],
    ['too many positions', polygon(circle([10, 50], 1, 4096)), /more than 4096 positions/],
  ])('%s', (_, shape, reason) => {
    expect(reasonOf(shape)).toMatch(reason);
    expect(call('ST_AREA', shape)).toBeUndefined();
    for (const name of ['ST_DISTANCE', 'ST_INTERSECTS', 'ST_WITHIN']) {
      expect(call(name, shape, point(1, 1))).toBeUndefined();
      expect(call(name, point(1, 1), shape)).toBeUndefined();
    }
  });

  testUndefined(['ST_AREA'], [[undefined], [null], ['POINT(1 1)'], [[1, 2]], [{}]]);
  testUndefined(
    ['ST_DISTANCE', 'ST_INTERSECTS', 'ST_WITHIN'],
    [
      [null, { type: 'Point', coordinates: [1, 1] }],
      [{ type: 'Point', coordinates: [1, 1] }, undefined],
      [{ type: 'Point', coordinates: [1, 1] }, {}],
    ],
  );

  test('a value that is no object is invalid, a missing one has no answer', () => {
    expect(call('ST_ISVALID', 'Point')).toBe(false);
    expect(call('ST_ISVALID', null)).toBe(false);
    expect(call('ST_ISVALID', undefined)).toBeUndefined();
    expect(call('ST_ISVALIDDETAILED', 7)).toMatchObject({ valid: false });
  });
});

describe(`any value (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const coordinates = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<JsonValue>(0, 1, 90, -90, 180, -180, 1e-300, 1e308, -1, 91),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<JsonValue>,
    ),
  })).tree;
  const shape = fc.oneof(
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
    fc.record({ type: fc.constantFrom<JsonValue>('Point', 'LineString', 'Polygon', 'MultiPolygon', 'toString', 1, null), coordinates }),
  ) as fc.Arbitrary<JsonValue>;

  test('is answered without an exception', () => {
    fc.assert(
      fc.property(shape, shape, (first, second) => {
        expect(typeof call('ST_ISVALID', first)).toBe('boolean');
        for (const name of ['ST_DISTANCE', 'ST_INTERSECTS', 'ST_WITHIN']) {
          expect(['undefined', 'number', 'boolean']).toContain(typeof call(name, first, second));
        }
      }),
      { seed, numRuns: 2000 },
    );
  });
});
