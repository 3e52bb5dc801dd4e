import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arbitraryNearPosition,
  arbitraryPosition,
  arbitraryStar,
  call,
  circle,
  field,
  line,
  multiPolygon,
  point,
  polygon,
  seed,
  type Position,
  type Ring,
  type Shape,
} from './shapes.ts';

const square = polygon(field(0, 0, 4, 4));
const ring = polygon(field(0, 0, 9, 9), field(2, 2, 4, 4).toReversed());
const everythingElse = polygon(field(0, 0, 4, 4).toReversed());

/** `[name, first, second, first within second, second within first, they intersect]`. */
const CASES: readonly (readonly [string, Shape, Shape, boolean, boolean, boolean])[] = [
  ['equal points', point(1, 2), point(1, 2), true, true, true],
  ['the antimeridian from both sides', point(180, 2), point(-180, 2), true, true, true],
  ['a pole by two longitudes', point(7, 90), point(80, 90), true, true, true],
  ['other points', point(1, 2), point(2, 1), false, false, false],
  ['a point on a line', point(2, 0), line([0, 0], [4, 0]), true, false, true],
  ['a point at the end of a line', point(4, 0), line([0, 0], [4, 0]), false, false, true],
  ['a point at the end of a closed line', point(0, 0), line([0, 0], [4, 0], [2, 3], [0, 0]), true, false, true],
  ['a point beyond a line', point(5, 0), line([0, 0], [4, 0]), false, false, false],
  ['a point on a meridian', point(10.1, 48.3), line([10.1, 47.7], [10.1, 49.9]), true, false, true],
  ['a point beside a parallel, which is no edge', point(5, 50), line([0, 50], [10, 50]), false, false, false],
  ['a point in a field', point(1, 1), square, true, false, true],
  ['a point beside a field', point(5, 1), square, false, false, false],
  ['a point on the side of a field', point(4, 1), square, false, false, true],
  ['a point on the corner of a field', point(4, 4), square, false, false, true],
  ['a point in a hole', point(3, 3), ring, false, false, false],
  ['a point on the side of a hole', point(2, 3), ring, false, false, true],
  ['a point around a field', point(100, -50), everythingElse, true, false, true],
  ['the antipode of the centre of a field', point(-178, -2), square, false, false, false],
  ['a point in the field that is left out', point(1, 1), everythingElse, false, false, false],
  ['a line in a field', line([1, 1], [3, 2]), square, true, false, true],
  ['a line from side to side', line([0, 1], [4, 3]), square, true, false, true],
  ['a line along a side', line([4, 1], [4, 3]), square, false, false, true],
  ['a line along a side and then in', line([4, 1], [4, 3], [2, 2]), square, true, false, true],
  ['a line out of a field', line([1, 1], [8, 2]), square, false, false, true],
  ['a line through a corner', line([3, 5], [5, 3]), square, false, false, false],
  ['a line over a hole', line([1, 3], [5, 3]), ring, false, false, true],
  ['a line around a hole', line([1, 1], [5, 1], [5, 5]), ring, true, false, true],
  ['a part of a line', line([10, 1], [10, 2]), line([10, 0], [10, 1.5], [10, 4]), true, false, true],
  ['a line backwards', line([10, 4], [10, 0]), line([10, 0], [10, 1.5], [10, 4]), true, true, true],
  ['lines that cross', line([0, 0], [4, 4]), line([0, 4], [4, 0]), false, false, true],
  ['a field in itself', square, square, true, true, true],
  [
    'a field that begins elsewhere',
    polygon([
      [4, 0],
      [4, 4],
      [0, 4],
      [0, 0],
    ]),
    square,
    true,
    true,
    true,
  ],
  ['a field in a corner', polygon(field(2, 0, 4, 1)), square, true, false, true],
  [
    'a field along a meridian side',
    polygon([
      [4, 1],
      [4, 3],
      [2, 2],
    ]),
    square,
    true,
    false,
    true,
  ],
  ['fields side by side', polygon(field(4, 0, 8, 4)), square, false, false, true],
  ['fields at a corner', polygon(field(4, 4, 8, 8)), square, false, false, true],
  ['fields apart', polygon(field(5, 5, 8, 8)), square, false, false, false],
  ['a field over another', polygon(field(2, 2, 8, 8)), square, false, false, true],
  ['a field whose north side bends beyond that of another', polygon(field(1, 0, 2, 4)), square, true, false, true],
  ['a cross of fields', polygon(field(1, -1, 2, 5)), square, false, false, true],
  ['the field that fills a hole', polygon(field(2, 2, 4, 4)), ring, false, false, true],
  ['a field in a hole', polygon(field(2.5, 2.5, 3, 3)), ring, false, false, false],
  ['a field around a hole', polygon(field(1, 1, 5, 5)), ring, false, false, true],
  ['a ring in its field', ring, polygon(field(0, 0, 9, 9)), true, false, true],
  ['a field and everything else', square, everythingElse, false, false, true],
  ['a far field and everything around', polygon(field(50, 50, 60, 60)), everythingElse, true, false, true],
  ['everything around two fields', polygon(field(-1, -1, 5, 5).toReversed()), everythingElse, true, false, true],
  ['fields across the antimeridian', polygon(field(179.5, -0.5, -179.5, 0.5)), polygon(field(179, -1, -179, 1)), true, false, true],
  [
    'a pole in a cap',
    point(0, 90),
    polygon([
      [0, 80],
      [120, 80],
      [-120, 80],
    ]),
    true,
    false,
    true,
  ],
  [
    'a cap in a greater one',
    polygon([
      [0, 85],
      [120, 85],
      [-120, 85],
    ]),
    polygon([
      [60, 70],
      [180, 70],
      [-60, 70],
    ]),
    true,
    false,
    true,
  ],
  ['a polygon of two', square, multiPolygon([field(0, 0, 4, 4)], [field(8, 8, 9, 9)]), true, false, true],
  ['two in one', multiPolygon([field(1, 1, 2, 2)], [field(2.5, 2.5, 3, 3)]), square, true, false, true],
  ['one in and one out', multiPolygon([field(1, 1, 2, 2)], [field(8, 8, 9, 9)]), square, false, false, true],
  ['nothing in a field', multiPolygon(), square, false, false, false],
];

describe('relations', () => {
  test.each(CASES)('%s', (_, first, second, within, around, meet) => {
    expect(call('ST_WITHIN', first, second)).toBe(within);
    expect(call('ST_WITHIN', second, first)).toBe(around);
    expect(call('ST_INTERSECTS', first, second)).toBe(meet);
    expect(call('ST_INTERSECTS', second, first)).toBe(meet);
  });
});

/*
 * The reference: a gnomonic projection of the reduced latitudes makes every great elliptic arc of a hemisphere a straight line, so the school
 * book's tests in the plane answer.
 */
function projected([longitude, latitude]: Position): readonly [number, number] {
  const reduced = Math.atan((1 - 1 / 298.257223563) * Math.tan((latitude * Math.PI) / 180));
  const angle = (longitude * Math.PI) / 180;
  return [Math.tan(angle), Math.tan(reduced) / Math.cos(angle)];
}

type Flat = readonly (readonly [x: number, y: number])[];

function turnOf([ax, ay]: Flat[number], [bx, by]: Flat[number], [cx, cy]: Flat[number]): number {
  return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

function sides(flat: Flat): (readonly [Flat[number], Flat[number]])[] {
  return flat.map((corner, index) => [corner, flat[(index + 1) % flat.length] as Flat[number]] as const);
}

function contains(flat: Flat, [x, y]: Flat[number]): boolean {
  return sides(flat).filter(([[ax, ay], [bx, by]]) => ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)).length % 2 === 1;
}

function haveCrossing(left: Flat, right: Flat): boolean {
  return sides(left).some(([a, b]) =>
    sides(right).some(([c, d]) => turnOf(a, b, c) !== turnOf(a, b, d) && turnOf(c, d, a) !== turnOf(c, d, b)),
  );
}

describe(`random shapes (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const place = fc.tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true }));

  test('polygons relate as their gnomonic images do in the plane', () => {
    const counts = { within: 0, apart: 0, crossing: 0 };
    fc.assert(
      fc.property(arbitraryStar(place, 2.1), arbitraryStar(place, 4.3), (left: Ring, right: Ring) => {
        const [first, second] = [left.map(projected), right.map(projected)];
        const crossing = haveCrossing(first, second);
        const within = !crossing && contains(second, first[0] as Flat[number]);
        const around = !crossing && contains(first, second[0] as Flat[number]);
        expect(call('ST_INTERSECTS', polygon(left), polygon(right))).toBe(crossing || within || around);
        expect(call('ST_WITHIN', polygon(left), polygon(right))).toBe(within);
        expect(call('ST_WITHIN', polygon(right), polygon(left))).toBe(around);
        counts.within += Number(within);
        counts.crossing += Number(crossing);
        counts.apart += Number(!crossing && !within && !around);
      }),
      { seed, numRuns: 600 },
    );
    expect(Math.min(counts.within, counts.apart, counts.crossing), JSON.stringify(counts)).toBeGreaterThan(30);
  });

  test('points are where their images are', () => {
    fc.assert(
      fc.property(arbitraryStar(place, 4), place, (corners, where) => {
        expect(call('ST_WITHIN', point(...where), polygon(corners))).toBe(contains(corners.map(projected), projected(where)));
        expect(call('ST_WITHIN', point(...where), polygon(corners.toReversed()))).toBe(!contains(corners.map(projected), projected(where)));
      }),
      { seed, numRuns: 600 },
    );
  });

  test('laws hold where corners and sides fall together', () => {
    const shape = fc.oneof(
      arbitraryNearPosition.map((position) => point(...position)),
      fc.array(arbitraryNearPosition, { minLength: 2, maxLength: 4 }).map((positions) => line(...positions)),
      fc.array(arbitraryNearPosition, { minLength: 3, maxLength: 5 }).map((corners) => polygon(corners)),
      fc
        .tuple(arbitraryNearPosition, arbitraryNearPosition)
        .map(([[west, south], [east, north]]) => polygon(field(west, south, east, north))),
    );
    let valid = 0;
    fc.assert(
      fc.property(shape, shape, shape, (a, b, c) => {
        fc.pre([a, b, c].every((one) => call('ST_ISVALID', one)));
        valid += 1;
        const meet = call('ST_INTERSECTS', a, b);
        expect(call('ST_INTERSECTS', b, a)).toBe(meet);
        expect(call('ST_DISTANCE', a, b) === 0).toBe(meet);
        expect(call('ST_WITHIN', a, a)).toBe(true);
        if (call('ST_WITHIN', a, b) === true) {
          expect(meet).toBe(true);
          // What meets a part meets the whole, and a part of a part is a part.
          expect(call('ST_INTERSECTS', a, c) === true && call('ST_INTERSECTS', b, c) === false).toBe(false);
          expect(call('ST_WITHIN', c, a) === true && call('ST_WITHIN', c, b) === false).toBe(false);
        }
      }),
      { seed, numRuns: 1000 },
    );
    expect(valid).toBeGreaterThan(300);
  });

  test('a point of anywhere is in a polygon or in its complement, or on the boundary of both', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryPosition, { minLength: 3, maxLength: 5 }), arbitraryPosition, (corners, where) => {
        const [inside, outside] = [polygon(corners), polygon(corners.toReversed())];
        fc.pre(call('ST_ISVALID', inside) === true);
        const found = [inside, outside].map((shape) => call('ST_WITHIN', point(...where), shape));
        const touches = [inside, outside].every((shape) => call('ST_INTERSECTS', point(...where), shape));
        expect(found.filter(Boolean)).toHaveLength(touches ? 0 : 1);
      }),
      { seed, numRuns: 600 },
    );
  });
});

test('polygons of as many positions as are allowed are compared without trying every pair', () => {
  const start = performance.now();
  const [inner, outer] = [polygon(circle([10, 50], 0.9, 4095)), polygon(circle([10, 50], 1, 4095))];
  expect(call('ST_WITHIN', inner, outer)).toBe(true);
  expect(call('ST_WITHIN', outer, inner)).toBe(false);
  expect(call('ST_WITHIN', outer, outer)).toBe(true);
  // Teeth of a comb, so that the boxes of all edges overlap.
  const teeth = Array.from({ length: 4000 }, (_, index): Position => [index * 1e-3 + (index % 2) * 30, (index % 2) * 30]);
  expect(call('ST_ISVALID', polygon([...teeth, [33.998, -20], [-1, -20]]))).toBe(true);
  // Some 300 ms on an idle machine.
  expect(performance.now() - start).toBeLessThan(6000);
});
