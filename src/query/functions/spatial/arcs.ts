import { orient3d } from 'robust-predicates';
import { crossProduct, EVERY_MERIDIAN, samePoint, type Vertex } from './vertex.ts';

/** 1 where a point lies left of an edge, -1 right of it, 0 on its great ellipse. */
export type Side = -1 | 0 | 1;

/** Determinants of unit vectors beyond this have the sign of the exact value. */
const CERTAIN = 4e-15;

/** Points of one meridian have determinants below this. */
const MAYBE_COPLANAR = 1e-14;

function determinant(a: Vertex, b: Vertex, c: Vertex): number {
  return (a.y * b.z - a.z * b.y) * c.x + (a.z * b.x - a.x * b.z) * c.y + (a.x * b.y - a.y * b.x) * c.z;
}

function exactSign(a: Vertex, b: Vertex, c: Vertex): Side {
  return Math.sign(orient3d(a.x, a.y, a.z, b.x, b.y, b.z, c.x, c.y, c.z, 0, 0, 0)) as Side;
}

/** Exact for the given coordinates of the unit sphere, so it never contradicts itself. */
export function exactSide(from: Vertex, to: Vertex, point: Vertex): Side {
  const rough = determinant(from, to, point);
  return rough > CERTAIN ? 1 : rough < -CERTAIN ? -1 : exactSign(from, to, point);
}

/**
 * As `exactSide`, and 0 for three points of one meridian: their coordinates on the sphere are rounded, and a point that the caller gave on a
 * meridian's edge is meant to be there.
 */
export function sideOf(from: Vertex, to: Vertex, point: Vertex): Side {
  const rough = determinant(from, to, point);
  if (rough > MAYBE_COPLANAR) {
    return 1;
  }
  if (rough < -MAYBE_COPLANAR) {
    return -1;
  }
  return onOneMeridian(from, to, point) ? 0 : exactSign(from, to, point);
}

function onOneMeridian(first: Vertex, second: Vertex, third: Vertex): boolean {
  let meridian = EVERY_MERIDIAN;
  for (const { meridian: own } of [first, second, third]) {
    if (own === EVERY_MERIDIAN) {
      continue;
    }
    // A computed point has NaN, which equals nothing.
    if (Number.isNaN(own) || (own !== meridian && meridian !== EVERY_MERIDIAN)) {
      return false;
    }
    meridian = own;
  }
  return true;
}

/** Whether a point of the arc's great ellipse is not behind `from`, seen from there towards `to`. */
function isAhead(from: Vertex, to: Vertex, point: Vertex): boolean {
  const [ax, ay, az] = crossProduct(from, to);
  const [bx, by, bz] = crossProduct(from, point);
  return ax * bx + ay * by + az * bz >= 0;
}

/** Whether the point lies on the arc, ends included. An arc from a point to itself is that point. */
export function isOnArc(from: Vertex, to: Vertex, point: Vertex): boolean {
  if (samePoint(from, to)) {
    return samePoint(from, point);
  }
  return (
    samePoint(from, point) ||
    samePoint(to, point) ||
    (sideOf(from, to, point) === 0 && isAhead(from, to, point) && isAhead(to, from, point))
  );
}

/**
 * Whether two arcs cross at a point that is inner to both.
 *
 * `undefined` where an end of one lies on the great ellipse of the other and nothing else excludes a crossing.
 */
export function arcsCross(a: Vertex, b: Vertex, c: Vertex, d: Vertex, side: typeof sideOf = sideOf): boolean | undefined {
  const abc = side(a, b, c);
  const abd = side(a, b, d);
  if (abc === abd && abc !== 0) {
    return false;
  }
  const cda = side(c, d, a);
  const cdb = side(c, d, b);
  if (cda === cdb && cda !== 0) {
    return false;
  }
  if (abc === 0 || abd === 0 || cda === 0 || cdb === 0) {
    return undefined;
  }
  // The great ellipses meet at two opposite points; each arc passes one of them, and it must be the same one.
  return abd === cda;
}

/** Whether two arcs have a point in common. */
export function arcsTouch(a: Vertex, b: Vertex, c: Vertex, d: Vertex): boolean {
  if (samePoint(a, b)) {
    return isOnArc(c, d, a);
  }
  if (samePoint(c, d)) {
    return isOnArc(a, b, c);
  }
  return arcsCross(a, b, c, d) ?? (isOnArc(a, b, c) || isOnArc(a, b, d) || isOnArc(c, d, a) || isOnArc(c, d, b));
}
