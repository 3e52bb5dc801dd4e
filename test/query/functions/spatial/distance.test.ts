import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arbitraryNearPosition,
  arbitraryPosition,
  arbitraryStar,
  call,
  circle,
  distance,
  line,
  multiPolygon,
  field,
  point,
  pointsBetween,
  polygon,
  seed,
  type Position,
  type Ring,
  type Shape,
} from './shapes.ts';

describe('distances of points', () => {
  // Test cases of GeographicLib, good to some nanometres: https://github.com/geographiclib/geographiclib-js, geodesictest.js
  test.each([
    [35.60777, -139.44815, -11.17491, -69.95921, 8935244.56048183],
    [-66.99028, 112.2363, -12.70631, -74.09656, 11150344.231208025],
    [-17.42761, 173.34268, -15.84784, 5.93557, 16076603.163118068],
    [6.96833, 52.74123, -7.39675, -153.82709, 17102477.249695837],
    [-87.85331, 85.66836, 66.48646, 16.09921, 17286615.314714465],
    [88.202499451857, 0, -88.202499451857, 179.98102203299285, 20003898.214],
    [36.493349428792, 0, 36.49334942879201, 0.0000008, 0.072],
  ])('from %d, %d to %d, %d', (latitude, longitude, otherLatitude, otherLongitude, expected) => {
    const digits = expected > 1 && expected % 1 !== 0.214 ? 3 : 2;
    expect(distance(point(longitude, latitude), point(otherLongitude, otherLatitude))).toBeCloseTo(expected, digits);
  });

  test('a pole is one point, and so is the antimeridian', () => {
    expect(distance(point(10, 90), point(-120, 90))).toBe(0);
    expect(distance(point(180, 7), point(-180, 7))).toBe(0);
  });

  test(`are those of a metric that does not know where longitude 0 is (PERIGEE_FUZZ_SEED=${seed})`, () => {
    fc.assert(
      fc.property(arbitraryPosition, arbitraryPosition, arbitraryPosition, fc.integer({ min: -180, max: 180 }), (a, b, c, turn) => {
        const turned = ([longitude, latitude]: Position): Shape => point(((longitude + turn + 540) % 360) - 180, latitude);
        const ab = distance(point(...a), point(...b));
        expect(distance(point(...b), point(...a))).toBeCloseTo(ab, 6);
        expect(distance(turned(a), turned(b))).toBeCloseTo(ab, 6);
        expect(ab).toBeLessThanOrEqual(distance(point(...a), point(...c)) + distance(point(...c), point(...b)) + 1e-6);
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe('distances to edges', () => {
  test('the foot of the perpendicular is found', () => {
    // By symmetry the point of the equator nearest to (5, 3) is (5, 0).
    expect(distance(point(5, 3), line([0, 0], [10, 0]))).toBeCloseTo(distance(point(5, 3), point(5, 0)), 6);
    expect(distance(point(5, 3), line([6, 0], [10, 0]))).toBeCloseTo(distance(point(5, 3), point(6, 0)), 6);
    expect(distance(point(5, 1e-7), line([0, 0], [10, 0]))).toBeCloseTo(distance(point(5, 1e-7), point(5, 0)), 6);
    expect(distance(point(5, 0), line([0, 0], [10, 0]))).toBe(0);
  });

  test('an edge across the pole, and one that is far away', () => {
    expect(distance(point(90, 89), line([0, 89], [180, 89]))).toBeCloseTo(distance(point(90, 89), point(0, 90)), 6);
    expect(distance(point(0, 90), line([-170, 0], [-10, 0]))).toBeCloseTo(distance(point(0, 90), point(0, 0)), 6);
  });

  test(`no other point of an edge is nearer (PERIGEE_FUZZ_SEED=${seed})`, () => {
    fc.assert(
      fc.property(arbitraryPosition, arbitraryPosition, arbitraryPosition, (a, b, p) => {
        const found = call('ST_DISTANCE', point(...p), line(a, b));
        // Equal or opposite ends are no edge, and the samples of a very long one lie too far apart.
        fc.pre(typeof found === 'number' && distance(point(...a), point(...b)) < 15e6);
        const samples = pointsBetween(a, b, 200).map((sample) => distance(point(...p), point(...sample)));
        const least = Math.min(...samples);
        expect(found).toBeLessThanOrEqual(least + 1e-5);
        // Between two samples the distance changes by no more than their own.
        expect(found).toBeGreaterThanOrEqual(least - distance(point(...a), point(...b)) / 60 - 1e-5);
      }),
      { seed, numRuns: 150 },
    );
  });
});

/** The least of all distances from a corner of one ring to an edge of the other. */
function leastOfAll(left: Ring, right: Ring): number {
  const edges = (ring: Ring): Shape[] => ring.map((position, index) => line(position, ring[(index + 1) % ring.length] as Position));
  const cornersToEdges = (corners: Ring, ring: Ring): number[] =>
    corners.flatMap((corner) => edges(ring).map((edge) => distance(point(...corner), edge)));
  return Math.min(...cornersToEdges(left, right), ...cornersToEdges(right, left));
}

describe('distances of shapes', () => {
  test(`are the least over all edges, and 0 where the shapes meet (PERIGEE_FUZZ_SEED=${seed})`, () => {
    let apart = 0;
    fc.assert(
      fc.property(arbitraryStar(arbitraryNearPosition, 1.5), arbitraryStar(arbitraryNearPosition, 1.5), (left, right) => {
        const first = polygon(left);
        const second = polygon(right);
        const found = distance(first, second);
        expect(distance(second, first)).toBeCloseTo(found, 5);
        expect(found === 0).toBe(call('ST_INTERSECTS', first, second));
        if (found > 0) {
          apart += 1;
          expect(found).toBeCloseTo(leastOfAll(left, right), 4);
        }
      }),
      { seed, numRuns: 150 },
    );
    expect(apart).toBeGreaterThan(20);
  });

  test(`far apart too (PERIGEE_FUZZ_SEED=${seed})`, () => {
    const centre = fc.tuple(fc.integer({ min: -170, max: 170 }), fc.integer({ min: -75, max: 75 }));
    fc.assert(
      fc.property(arbitraryStar(centre, 8), arbitraryStar(centre, 8), (left, right) => {
        const found = call('ST_DISTANCE', polygon(left), polygon(right));
        fc.pre(typeof found === 'number' && found > 0);
        expect(found).toBeCloseTo(leastOfAll(left, right), 4);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('a point inside has distance 0, one in a hole does not', () => {
    const ring = polygon(field(0, 0, 9, 9), field(2, 2, 4, 4).toReversed());
    expect(distance(point(1, 1), ring)).toBe(0);
    expect(distance(point(3, 3.9), ring)).toBeCloseTo(distance(point(3, 3.9), line([2, 4], [4, 4])), 6);
  });

  test('an empty geometry is nowhere', () => {
    expect(call('ST_DISTANCE', multiPolygon(), point(0, 0))).toBeUndefined();
  });

  test('shapes whose every edge is equally near, and almost opposite each other, get an answer', () => {
    const cap = (latitude: number): Position[] => Array.from({ length: 3000 }, (_, index) => [-180 + index * 0.12, latitude]);
    const start = performance.now();
    const found = distance(polygon(cap(89)), polygon(cap(-89).toReversed()));
    expect(found / distance(point(0, 89), point(0, -89))).toBeCloseTo(1, 8);
    // About a second on an idle machine; before there was an end to it, hours.
    expect(performance.now() - start).toBeLessThan(20_000);
  }, 30_000);

  test('polygons of as many positions as are allowed do not take the square of their number', () => {
    const start = performance.now();
    const inner = polygon(circle([10, 50], 0.9, 4095));
    const outer = polygon(circle([10, 50], 1, 2040), circle([10, 50], 0.95, 2040).toReversed());
    expect(distance(inner, outer)).toBeGreaterThan(5000);
    expect(distance(inner, polygon(circle([100, 50], 1, 4095)))).toBeGreaterThan(5e6);
    // Some 60 ms on an idle machine; the square would be a minute.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
