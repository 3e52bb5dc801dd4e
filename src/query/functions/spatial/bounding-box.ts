import type { Geometry } from './geometry.ts';
import { locate } from './point-location.ts';
import { EQUATORIAL_RADIUS, POLAR_RADIUS, vertexAt } from './vertex.ts';

/**
 * Least and greatest `x`, `y`, `z` of a geometry in the unit sphere's frame of a {@link Vertex}.
 *
 * In three dimensions no box has to be cut at the antimeridian, and a pole is a place like any other.
 */
export interface BoundingBox {
  readonly low: readonly [x: number, y: number, z: number];
  readonly high: readonly [x: number, y: number, z: number];
}

/** Where a coordinate is greatest or least on the whole sphere. */
const EXTREMES = [vertexAt(0, 0), vertexAt(180, 0), vertexAt(90, 0), vertexAt(-90, 0), vertexAt(0, 90), vertexAt(0, -90)];

const MARGIN = 1e-12;

/** The box around a geometry; `undefined` for an empty one. */
export function boundingBox(geometry: Geometry): BoundingBox | undefined {
  const { point, edges, dimension } = geometry;
  if (point !== undefined) {
    const at = [point.x, point.y, point.z] as const;
    return { low: at, high: at };
  }
  const box = edges.bounds();
  if (box === undefined || dimension < 2) {
    return box;
  }
  // Within an area a coordinate is greatest on the boundary or where it is so on the whole sphere.
  const reached = EXTREMES.filter((extreme) => locate(edges, extreme) >= 0);
  const low = (axis: 'x' | 'y' | 'z', least: number): number => Math.min(least, ...reached.map((extreme) => extreme[axis]));
  const high = (axis: 'x' | 'y' | 'z', greatest: number): number => Math.max(greatest, ...reached.map((extreme) => extreme[axis]));
  return {
    low: [low('x', box.low[0]), low('y', box.low[1]), low('z', box.low[2])],
    high: [high('x', box.high[0]), high('y', box.high[1]), high('z', box.high[2])],
  };
}

/** The box around everything within a distance in metres of what is in a box; `undefined` where that is everything. */
export function boxAround({ low, high }: BoundingBox, metres: number): BoundingBox | undefined {
  // A path on the ellipsoid is at least as long as the arc on the unit sphere times the smaller semi-axis.
  const angle = Math.max(0, metres) / POLAR_RADIUS;
  if (!(angle < Math.PI) || metres > Math.PI * EQUATORIAL_RADIUS) {
    return undefined;
  }
  const reach = 2 * Math.sin(angle / 2) + MARGIN;
  return {
    low: [low[0] - reach, low[1] - reach, low[2] - reach],
    high: [high[0] + reach, high[1] + reach, high[2] + reach],
  };
}
