import type { BoundingBox } from '../functions/spatial/bounding-box.ts';
import { FLATTENING } from '../functions/spatial/vertex.ts';

/** A part of the map: least and greatest longitude and latitude, in degrees from -180 to 180 and -90 to 90. */
export interface DegreeBox {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** A metre on the ground and more: far beyond what rounding makes of a degree. */
const MARGIN_DEGREES = 1e-5;

/** Nearer to the axis than this, rounding could turn a direction by more than the margin. */
const NEAR_AXIS = 1e-4;

const DEGREE: number = 180 / Math.PI;

/** The latitude of a height above the equator's plane in the unit sphere's frame. */
function latitudeAt(z: number): number {
  const sine = Math.max(-1, Math.min(1, z));
  return Math.atan2(sine, Math.sqrt(1 - sine * sine) * (1 - FLATTENING)) * DEGREE;
}

/** What lies between two longitudes, the second of which may be beyond 180. Both ends of the map are one meridian. */
function longitudeRanges(from: number, to: number): readonly (readonly [west: number, east: number])[] {
  const [west, east] = [from - MARGIN_DEGREES, to + MARGIN_DEGREES];
  return [-360, 0, 360]
    .map((turn) => [Math.max(-180, west + turn), Math.min(180, east + turn)] as const)
    .filter(([left, right]) => left <= right);
}

/** The longitudes of a rectangle, seen from the axis. */
function longitudesOf([lowX, lowY]: BoundingBox['low'], [highX, highY]: BoundingBox['high']): ReturnType<typeof longitudeRanges> {
  if (lowX <= NEAR_AXIS && highX >= -NEAR_AXIS && lowY <= NEAR_AXIS && highY >= -NEAR_AXIS) {
    return [[-180, 180]];
  }
  const turnsOver = lowX < 0 && lowY < 0 && highY >= 0;
  const corners = [lowX, highX].flatMap((x) =>
    [lowY, highY].map((y) => {
      const angle = Math.atan2(y, x) * DEGREE;
      return turnsOver && angle < 0 ? angle + 360 : angle;
    }),
  );
  return longitudeRanges(Math.min(...corners), Math.max(...corners));
}

/**
 * Parts of the map that hold every place of the sphere that is within a box, and some beside it; every longitude where one of them reaches a pole.
 * At most two of them.
 */
export function degreeBoxes({ low, high }: BoundingBox): readonly DegreeBox[] {
  const south = Math.max(-90, latitudeAt(low[2]) - MARGIN_DEGREES);
  const north = Math.min(90, latitudeAt(high[2]) + MARGIN_DEGREES);
  return longitudesOf(low, high).map(([west, east]) => ({ west, south, east, north }));
}
