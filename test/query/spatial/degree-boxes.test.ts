import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundingBox, boxAround, type BoundingBox } from '../../../src/query/functions/spatial/bounding-box.ts';
import { readGeometry } from '../../../src/query/functions/spatial/read-geometry.ts';
import { vertexAt } from '../../../src/query/functions/spatial/vertex.ts';
import { degreeBoxes } from '../../../src/query/spatial/degree-boxes.ts';
import { shape } from '../../stores/spatial-queries.ts';
import { arbitraryPosition, point, seed, type Position } from '../functions/spatial/shapes.ts';

function isInside({ low, high }: BoundingBox, [longitude, latitude]: Position): boolean {
  const { x, y, z } = vertexAt(longitude, latitude);
  return [x, y, z].every((value, axis) => value >= (low[axis] as number) && value <= (high[axis] as number));
}

function isOnMap(box: BoundingBox, [longitude, latitude]: Position): boolean {
  return degreeBoxes(box).some(
    ({ west, south, east, north }) => longitude >= west && longitude <= east && latitude >= south && latitude <= north,
  );
}

function boxOf(value: unknown, metres: number): BoundingBox | undefined {
  const geometry = readGeometry(value as never);
  const box = typeof geometry === 'string' ? undefined : boundingBox(geometry);
  return box && boxAround(box, metres);
}

describe('boxes on the map', () => {
  test(`hold every place of a box on the sphere (PERIGEE_FUZZ_SEED=${seed})`, () => {
    let inside = 0;
    const position = fc.oneof(arbitraryPosition, fc.tuple(fc.constantFrom(-180, 180, 179.9999, 0), fc.integer({ min: -90, max: 90 })));
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 0, max: 5_000_000 }),
        fc.array(position, { minLength: 30, maxLength: 30 }),
        (one, metres, places) => {
          const box = boxOf(one, metres);
          for (const place of box === undefined ? [] : places) {
            if (isInside(box as BoundingBox, place)) {
              inside += 1;
              expect(isOnMap(box as BoundingBox, place), JSON.stringify([one, metres, place])).toBe(true);
            }
          }
        },
      ),
      { seed, numRuns: 1500 },
    );
    expect(inside).toBeGreaterThan(1000);
  });

  test('hold what is near a place, at any end of the map', () => {
    const step = 1e-4;
    const steps = [-step, 0, step];
    fc.assert(
      fc.property(arbitraryPosition, ([longitude, latitude]) => {
        const box = boxOf(point(longitude, latitude), 100_000) as BoundingBox;
        for (const [east, north] of steps.flatMap((first) => steps.map((second) => [first, second] as const))) {
          const turned = ((longitude + east + 540) % 360) - 180;
          expect(isOnMap(box, [turned, Math.max(-90, Math.min(90, latitude + north))])).toBe(true);
        }
        expect(isOnMap(box, [Math.abs(longitude) === 180 ? -longitude : longitude, latitude])).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test.each<readonly [place: Position, boxes: number, widest: number]>([
    [[8.5, 47.4], 1, 0.02],
    [[-70, -33], 1, 0.02],
    [[180, 10], 2, 0.02],
    [[-179.999, 60], 2, 0.04],
    [[12, 90], 1, 360],
  ])('of a place are small: within 500 m of %j', (place, boxes, widest) => {
    const found = degreeBoxes(boxOf(point(...place), 500) as BoundingBox);
    expect(found).toHaveLength(boxes);
    expect(Math.max(...found.map(({ west, east }) => east - west))).toBeLessThanOrEqual(widest);
    expect(Math.max(...found.map(({ south, north }) => north - south))).toBeLessThan(1);
  });
});
