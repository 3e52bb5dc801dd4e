import fc from 'fast-check';
import geographicLib from 'geographiclib-geodesic';
import { describe, expect, test } from 'vitest';
import {
  arbitraryStar,
  area,
  call,
  field,
  line,
  multiPolygon,
  point,
  polygon,
  pointsBetween,
  seed,
  type Position,
  type Ring,
} from './shapes.ts';

/** The surface of the WGS-84 ellipsoid, https://en.wikipedia.org/wiki/World_Geodetic_System and GeographicLib. */
const EARTH = 510_065_621_724_088.4;

/** The area within geodesics between points of a ring's edges, `count` an edge, by the library. */
function areaOfGeodesics(ring: Ring, count: number): number {
  const geodesics = geographicLib.Geodesic.WGS84.Polygon(false);
  for (const [index, corner] of ring.entries()) {
    for (const [longitude, latitude] of pointsBetween(corner, ring[(index + 1) % ring.length] as Position, count).slice(1)) {
      geodesics.AddPoint(latitude, longitude);
    }
  }
  return geodesics.Compute(false, true).area ?? 0;
}

describe('areas', () => {
  test('an octant is an eighth of the ellipsoid, wherever it is', () => {
    for (const west of [-180, -90, 0, 90]) {
      const east = west + 90;
      expect(
        area(
          polygon([
            [west, 0],
            [east, 0],
            [0, 90],
          ]),
        ) / EARTH,
      ).toBeCloseTo(1 / 8, 14);
      expect(
        area(
          polygon([
            [west, 0],
            [0, -90],
            [east, 0],
          ]),
        ) / EARTH,
      ).toBeCloseTo(1 / 8, 14);
    }
  });

  test('rings around a pole, around the equator and over the pole', () => {
    const north: Ring = [
      [0, 60],
      [120, 60],
      [-120, 60],
    ];
    const south: Ring = [
      [0, -60],
      [-120, -60],
      [120, -60],
    ];
    expect(area(polygon(north))).toBeCloseTo(area(polygon(south)), 0);
    const belt = area(polygon(north.toReversed(), south.toReversed()));
    expect((belt + area(polygon(north)) + area(polygon(south))) / EARTH).toBeCloseTo(1, 14);
    const overPole = area(
      polygon([
        [-90, 80],
        [0, 70],
        [90, 80],
      ]),
    );
    const halves =
      area(
        polygon([
          [-90, 80],
          [0, 70],
          [0, 90],
        ]),
      ) +
      area(
        polygon([
          [0, 70],
          [90, 80],
          [0, 90],
        ]),
      );
    expect(overPole).toBeCloseTo(halves, -1);
  });

  test('a hole is cut out, and polygons add up', () => {
    const outer = field(0, 0, 9, 9);
    const inner = field(2, 2, 4, 4);
    expect(area(polygon(outer, inner.toReversed()))).toBeCloseTo(area(polygon(outer)) - area(polygon(inner)), -1);
    expect(area(multiPolygon([field(0, 0, 1, 1)], [field(5, 5, 6, 6)]))).toBeCloseTo(
      area(polygon(field(0, 0, 1, 1))) + area(polygon(field(5, 5, 6, 6))),
      -1,
    );
    expect(call('ST_AREA', multiPolygon())).toBe(0);
  });

  test('lines and points have none', () => {
    expect(call('ST_AREA', line([0, 0], [9, 9], [9, 0], [0, 0]))).toBe(0);
    expect(call('ST_AREA', point(1, 1))).toBe(0);
  });

  test('a plot of a metre keeps eight digits', () => {
    // By the radii of curvature at latitude 60: 111412.23 m and 55800.00 m a degree there.
    const side = 1e-5;
    const radius = 6378137 / Math.sqrt(1 - 0.00669437999014 * 0.75);
    const meridian = (radius * (1 - 0.00669437999014)) / (1 - 0.00669437999014 * 0.75);
    const expected = meridian * radius * Math.cos(Math.PI / 3) * ((side * Math.PI) / 180) ** 2;
    expect(area(polygon(field(10, 60, 10 + side, 60 + side))) / expected).toBeCloseTo(1, 6);
  });

  test(`agree with a second method, and with their complement (PERIGEE_FUZZ_SEED=${seed})`, () => {
    const centre = fc.tuple(fc.integer({ min: -170, max: 170 }), fc.integer({ min: -70, max: 70 }));
    fc.assert(
      fc.property(arbitraryStar(centre, 9), (ring) => {
        const found = call('ST_AREA', polygon(ring));
        fc.pre(typeof found === 'number');
        // What is missing between geodesics and the edges falls with the square of their number, so two numbers tell the limit.
        const limit = (4 * areaOfGeodesics(ring, 80) - areaOfGeodesics(ring, 40)) / 3;
        expect(found / limit).toBeCloseTo(1, 10);
        expect((found + area(polygon(ring.toReversed()))) / EARTH).toBeCloseTo(1, 13);
      }),
      { seed, numRuns: 60 },
    );
  });
});
