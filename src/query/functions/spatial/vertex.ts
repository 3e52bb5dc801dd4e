/** Semi-axes of the WGS-84 ellipsoid in metres, and its flattening. */
export const EQUATORIAL_RADIUS = 6_378_137;
export const FLATTENING: number = 1 / 298.257223563;
export const POLAR_RADIUS: number = EQUATORIAL_RADIUS * (1 - FLATTENING);

/** `meridian` of a pole, which lies on every meridian. */
export const EVERY_MERIDIAN = -1;

/**
 * A point of the ellipsoid.
 *
 * `x`, `y` and `z` are those of the ellipsoid's own frame divided by its semi-axes, so they lie on a unit sphere. A plane through the centre
 * stays one, so a great elliptic arc is a great circle there, and which side of an edge a point lies on is the sign of one determinant.
 */
export interface Vertex {
  readonly longitude: number;
  readonly latitude: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** The great ellipse through both poles that the point was given on, 0 to 180 (exclusive); NaN for a computed point. */
  readonly meridian: number;
}

const RADIAN: number = Math.PI / 180;

/** Sine and cosine of degrees, exact at multiples of 90: the poles, the equator and the antimeridian are what they are. */
function sineCosine(degrees: number): readonly [sine: number, cosine: number] {
  const quarter = Math.round(degrees / 90);
  const rest = (degrees - quarter * 90) * RADIAN;
  const sine = Math.sin(rest);
  const cosine = Math.cos(rest);
  switch (quarter & 3) {
    case 0:
      return [sine, cosine];
    case 1:
      return [cosine, -sine];
    case 2:
      return [-sine, -cosine];
    default:
      return [-cosine, sine];
  }
}

const GRID = 2 ** 56;

/**
 * The nearest multiple of 2^-56, a tenth of a nanometre: nothing changes but what is near 0, where doubles are far denser. So different points
 * are never too near for differences, and products of three coordinates never too small for a double. -0 becomes 0.
 */
function onGrid(coordinate: number): number {
  return Math.round(coordinate * GRID) / GRID + 0;
}

/** The vertex of a position within -180 to 180 and -90 to 90 degrees. */
export function vertexAt(longitude: number, latitude: number): Vertex {
  const [sineLatitude, cosineLatitude] = sineCosine(latitude);
  const [sineLongitude, cosineLongitude] = sineCosine(longitude);
  const up = (1 - FLATTENING) * sineLatitude;
  const length = Math.sqrt(up * up + cosineLatitude * cosineLatitude);
  const across = cosineLatitude / length;
  return {
    longitude,
    latitude,
    x: onGrid(across * cosineLongitude),
    y: onGrid(across * sineLongitude),
    z: onGrid(up / length),
    meridian: across === 0 ? EVERY_MERIDIAN : longitude < 0 ? longitude + 180 : longitude === 180 ? 0 : longitude,
  };
}

/** The vertex in the direction of a vector other than zero. */
export function vertexToward(x: number, y: number, z: number): Vertex {
  const across = Math.hypot(x, y);
  const length = Math.hypot(across, z);
  return {
    longitude: Math.atan2(y, x) / RADIAN,
    latitude: Math.atan2(z, across * (1 - FLATTENING)) / RADIAN,
    x: x / length,
    y: y / length,
    z: z / length,
    meridian: Number.NaN,
  };
}

/** Whether both are one point: 180 and -180 degrees are, and a pole at any longitude. */
export function samePoint(left: Vertex, right: Vertex): boolean {
  return left.x === right.x && left.y === right.y && left.z === right.z;
}

/** Whether the points are as far apart as points can be, to some millimetres, so that rounding would decide which arc joins them. */
export function areAntipodal(left: Vertex, right: Vertex): boolean {
  return (left.x + right.x) ** 2 + (left.y + right.y) ** 2 + (left.z + right.z) ** 2 < 1e-18;
}

/** `from` x `to`, by their difference, so that near points do not lose digits. */
export function crossProduct(from: Vertex, to: Vertex): readonly [x: number, y: number, z: number] {
  const x = to.x - from.x;
  const y = to.y - from.y;
  const z = to.z - from.z;
  return [from.y * z - from.z * y, from.z * x - from.x * z, from.x * y - from.y * x];
}

/** The angle between two vertices on the unit sphere, accurate for small and for large ones. */
export function angleBetween(left: Vertex, right: Vertex): number {
  const [x, y, z] = crossProduct(left, right);
  return Math.atan2(Math.sqrt(x * x + y * y + z * z), left.x * right.x + left.y * right.y + left.z * right.z);
}
