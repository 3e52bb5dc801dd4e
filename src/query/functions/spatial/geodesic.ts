import geographicLib from 'geographiclib-geodesic';
import { angleBetween, crossProduct, EQUATORIAL_RADIUS, POLAR_RADIUS, samePoint, vertexToward, type Vertex } from './vertex.ts';

const { Geodesic } = geographicLib;
const WGS84 = Geodesic.WGS84;
const LENGTH_AND_AZIMUTHS = Geodesic.DISTANCE | Geodesic.AZIMUTH;
const RADIAN = Math.PI / 180;
const MEAN_RADIUS: number = (2 * EQUATORIAL_RADIUS + POLAR_RADIUS) / 3;

/** Below this, the distance to a point along an arc has one least value and no other turning point. */
const SURELY_CONVEX = 9_800_000;

/** Parts of half a turn, each of which holds at most one turning point. */
const PARTS = 32;

/** The length in metres of the shortest path on the WGS-84 ellipsoid, to some nanometres. */
export function geodesicDistance(from: Vertex, to: Vertex): number {
  if (samePoint(from, to)) {
    return 0;
  }
  return WGS84.Inverse(from.latitude, from.longitude, to.latitude, to.longitude, Geodesic.DISTANCE).s12 ?? 0;
}

/** Metres east and north for a radian on the unit sphere in a direction at right angles to a vertex. */
function metresPerRadian(here: Vertex, x: number, y: number, z: number): { readonly east: number; readonly north: number } {
  const longitude = here.longitude * RADIAN;
  const sine = Math.sin(longitude);
  const cosine = Math.cos(longitude);
  const across = Math.hypot(here.x, here.y);
  const poleward = z * across - here.z * (x * cosine + y * sine);
  return {
    east: (y * cosine - x * sine) * EQUATORIAL_RADIUS,
    north: poleward * Math.hypot(EQUATORIAL_RADIUS * here.z, POLAR_RADIUS * across),
  };
}

/** Walks an arc: the distance from its points to a point outside, and how that changes. */
class ArcWalk {
  readonly length: number;
  readonly #from: Vertex;
  /** The direction of the arc at its start. */
  readonly #ahead: Vertex;
  readonly #point: Vertex;

  constructor(from: Vertex, to: Vertex, point: Vertex) {
    this.length = angleBetween(from, to);
    this.#from = from;
    this.#point = point;
    // (from x to) x from
    const [x, y, z] = crossProduct(from, to);
    this.#ahead = vertexToward(y * from.z - z * from.y, z * from.x - x * from.z, x * from.y - y * from.x);
  }

  /** The angle at which the point would be nearest if the ellipsoid were a sphere; it may lie beyond the ends. */
  guess(): number {
    const from = this.#from;
    const ahead = this.#ahead;
    const point = this.#point;
    return Math.atan2(ahead.x * point.x + ahead.y * point.y + ahead.z * point.z, from.x * point.x + from.y * point.y + from.z * point.z);
  }

  /** At an angle from the start: the distance in metres, its slope in metres per radian, and by how much to go on towards the least one. */
  at(angle: number): { distance: number; slope: number; step: number } {
    const cosine = Math.cos(angle);
    const sine = Math.sin(angle);
    const from = this.#from;
    const ahead = this.#ahead;
    const here = vertexToward(from.x * cosine + ahead.x * sine, from.y * cosine + ahead.y * sine, from.z * cosine + ahead.z * sine);
    const x = ahead.x * cosine - from.x * sine;
    const y = ahead.y * cosine - from.y * sine;
    const z = ahead.z * cosine - from.z * sine;
    const { east, north } = metresPerRadian(here, x, y, z);
    const { s12: distance = 0, azi1: azimuth = 0 } = WGS84.Inverse(
      here.latitude,
      here.longitude,
      this.#point.latitude,
      this.#point.longitude,
      LENGTH_AND_AZIMUTHS,
    );
    const slope = -(east * Math.sin(azimuth * RADIAN) + north * Math.cos(azimuth * RADIAN));
    const speed = Math.hypot(east, north);
    const towards = -slope / speed;
    const reach = Math.min(distance / MEAN_RADIUS, 1.5);
    return { distance, slope, step: (Math.atan2(Math.sin(reach) * towards, Math.cos(reach)) * MEAN_RADIUS) / speed };
  }
}

/** The least distance between two angles where it falls at the lower one and rises at the higher one. */
function leastWithin(walk: ArcWalk, lower: number, higher: number): number {
  let [low, high] = [lower, higher];
  let angle = walk.guess();
  let least = Number.POSITIVE_INFINITY;
  // Each step shortens the way by some hundreds, since a sphere is that near; a step beyond the bracket is replaced by halving it.
  for (let round = 0; round < 100; round++) {
    if (!(angle > low && angle < high)) {
      angle = (low + high) / 2;
    }
    const { distance, slope, step } = walk.at(angle);
    least = Math.min(least, distance);
    if (Math.abs(slope * step) < 1e-9 || high - low < 1e-15) {
      return least;
    }
    if (slope < 0) {
      low = angle;
    } else {
      high = angle;
    }
    angle += step;
  }
  return least;
}

/**
 * The distance in metres from a point to the nearest point of an arc, to less than a micrometre.
 *
 * It is sought by the slope of the distance, which the geodesic's azimuth gives exactly.
 */
export function distanceToArc(point: Vertex, from: Vertex, to: Vertex): number {
  if (samePoint(from, to)) {
    return geodesicDistance(point, from);
  }
  const atEnds = Math.min(geodesicDistance(point, from), geodesicDistance(point, to));
  if (atEnds === 0) {
    return 0;
  }
  const walk = new ArcWalk(from, to, point);
  const parts = atEnds + walk.length * EQUATORIAL_RADIUS < SURELY_CONVEX ? 1 : Math.ceil((walk.length * PARTS) / Math.PI);
  let least = atEnds;
  let low = 0;
  let slope = walk.at(low).slope;
  for (let part = 1; part <= parts; part++) {
    const high = (walk.length * part) / parts;
    const nextSlope = walk.at(high).slope;
    if (slope < 0 && nextSlope > 0) {
      least = Math.min(least, leastWithin(walk, low, high));
    }
    low = high;
    slope = nextSlope;
  }
  return least;
}

/** The greatest radius of curvature of the ellipsoid, at the poles. */
const FLATTEST_RADIUS: number = EQUATORIAL_RADIUS ** 2 / POLAR_RADIUS;

/** The least length on the ellipsoid of a path whose ends are so far apart through the earth, in metres. */
export function leastForChord(chord: number): number {
  // A path bends at least as much as a circle of the greatest radius. The share covers its twist and rounding.
  return 2 * FLATTEST_RADIUS * Math.asin(Math.min(1, chord / (2 * FLATTEST_RADIUS))) * (1 - 1e-9);
}

/** The least curved section of the ellipsoid bends with this radius or less, so an arc is this far from its chord at most. */
function sagitta(from: Vertex, to: Vertex): number {
  return 2 * EQUATORIAL_RADIUS * Math.sin(angleBetween(from, to) / 4) ** 2;
}

/** The distance in metres between two straight lines through the earth, from `a` to `b` and from `c` to `d`. */
function chordGap(a: Vertex, b: Vertex, c: Vertex, d: Vertex): number {
  const [ux, uy, uz] = [(b.x - a.x) * EQUATORIAL_RADIUS, (b.y - a.y) * EQUATORIAL_RADIUS, (b.z - a.z) * POLAR_RADIUS];
  const [vx, vy, vz] = [(d.x - c.x) * EQUATORIAL_RADIUS, (d.y - c.y) * EQUATORIAL_RADIUS, (d.z - c.z) * POLAR_RADIUS];
  const [wx, wy, wz] = [(a.x - c.x) * EQUATORIAL_RADIUS, (a.y - c.y) * EQUATORIAL_RADIUS, (a.z - c.z) * POLAR_RADIUS];
  const uu = ux * ux + uy * uy + uz * uz;
  const vv = vx * vx + vy * vy + vz * vz;
  const uv = ux * vx + uy * vy + uz * vz;
  const uw = ux * wx + uy * wy + uz * wz;
  const vw = vx * wx + vy * wy + vz * wz;
  const clamp = (share: number): number => Math.min(1, Math.max(0, share));
  const gap = (s: number, t: number): number => Math.hypot(wx + s * ux - t * vx, wy + s * uy - t * vy, wz + s * uz - t * vz);
  // Each end against the other line, and the two lines against each other where they are nearest between their ends.
  let least = Number.POSITIVE_INFINITY;
  for (const end of [0, 1]) {
    least = Math.min(least, gap(end, vv === 0 ? 0 : clamp((vw + end * uv) / vv)), gap(uu === 0 ? 0 : clamp((end * uv - uw) / uu), end));
  }
  const cross = uu * vv - uv * uv;
  const s = (uv * vw - vv * uw) / cross;
  const t = (uu * vw - uv * uw) / cross;
  return s > 0 && s < 1 && t > 0 && t < 1 ? Math.min(least, gap(s, t)) : least;
}

/** An edge by its middle and half of its length, in metres. */
interface Span {
  readonly middle: Vertex;
  readonly half: number;
  readonly east: number;
  readonly north: number;
}

function spanOf(from: Vertex, to: Vertex): Span {
  if (samePoint(from, to)) {
    return { middle: from, half: 0, east: 0, north: 0 };
  }
  const middle = vertexToward(from.x + to.x, from.y + to.y, from.z + to.z);
  const { east, north } = metresPerRadian(middle, to.x - from.x, to.y - from.y, to.z - from.z);
  const length = Math.hypot(east, north);
  return { middle, half: (angleBetween(from, to) / 2) * EQUATORIAL_RADIUS, east: east / length, north: north / length };
}

/**
 * Metres by which two edges are apart at least; `enough` says from where on a rougher and cheaper figure will do.
 *
 * It is the distance of their middles, less what moving along them can gain: that is the slope there, and a share of the square of the way: moving both ends of a path on a sphere bends its length by no more than the
 * tangent of half its angle. Twice that leaves room for the ellipsoid.
 */
export function leastBetweenEdges(a: Vertex, b: Vertex, c: Vertex, d: Vertex, enough: number): number {
  const rough = leastForChord(Math.max(0, chordGap(a, b, c, d) - sagitta(a, b) - sagitta(c, d)));
  if (rough >= enough) {
    return rough;
  }
  const first = spanOf(a, b);
  const second = spanOf(c, d);
  const {
    s12: distance = 0,
    azi1 = 0,
    azi2 = 0,
  } = WGS84.Inverse(first.middle.latitude, first.middle.longitude, second.middle.latitude, second.middle.longitude, LENGTH_AND_AZIMUTHS);
  const reach = first.half + second.half;
  const halfAngle = (distance + reach) / (2 * POLAR_RADIUS);
  if (halfAngle > 1.5) {
    return distance - reach;
  }
  const gain =
    Math.abs(first.east * Math.sin(azi1 * RADIAN) + first.north * Math.cos(azi1 * RADIAN)) * first.half +
    Math.abs(second.east * Math.sin(azi2 * RADIAN) + second.north * Math.cos(azi2 * RADIAN)) * second.half +
    ((Math.tan(halfAngle) + 0.02) * (first.half ** 2 + second.half ** 2)) / POLAR_RADIUS;
  return distance - Math.min(gain, reach) - 1e-6;
}
