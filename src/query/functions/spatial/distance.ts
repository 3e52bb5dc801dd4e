import type { EdgeSet } from './edge-set.ts';
import { distanceToArc, geodesicDistance, leastBetweenEdges, leastForChord } from './geodesic.ts';
import type { Geometry } from './geometry.ts';
import { intersects } from './intersects.ts';
import { angleBetween, POLAR_RADIUS, samePoint } from './vertex.ts';

/** A run of edges of one set: a node of its tree. */
interface Run {
  readonly edges: EdgeSet;
  readonly node: number;
  readonly first: number;
  readonly end: number;
}

function halves({ edges, node, first, end }: Run): readonly [Run, Run] {
  const middle = (first + end) >> 1;
  return [
    { edges, node: node * 2, first, end: middle },
    { edges, node: node * 2 + 1, first: middle, end },
  ];
}

function radiusOf({ edges, node, first, end }: Run): number {
  return edges.radius(node, first, end);
}

/** Metres by which two runs are apart at least; `enough` says from where on a rougher and cheaper figure will do. */
function leastBetween(left: Run, right: Run, enough: number): number {
  const from = left.edges.centre(left.first, left.end);
  const to = right.edges.centre(right.first, right.end);
  const reach = radiusOf(left) + radiusOf(right);
  // The arc on the unit sphere, times the smaller semi-axis, is not longer than the way on the ellipsoid.
  const rough = Math.max(
    angleBetween(from, to) * POLAR_RADIUS - reach,
    leastForChord(left.edges.chord(left.node, right.edges, right.node)),
  );
  return rough >= enough ? rough : Math.max(rough, geodesicDistance(from, to) - reach);
}

/** The least distance between two edges that have no point in common: one of the four ends is nearest. */
function edgeDistance(left: Run, right: Run, known: number, enough: number): number {
  const { from: a, to: b } = left.edges.edge(left.first);
  const { from: c, to: d } = right.edges.edge(right.first);
  if (leastBetweenEdges(a, b, c, d, enough) >= enough) {
    return known;
  }
  let least = Math.min(known, distanceToArc(a, c, d));
  if (!samePoint(a, b)) {
    least = Math.min(least, distanceToArc(b, c, d), distanceToArc(c, a, b));
    if (!samePoint(c, d)) {
      least = Math.min(least, distanceToArc(d, a, b));
    }
  }
  return least;
}

/** Metres that are not worth a further look, in the beginning. */
const NEGLIGIBLE = 1e-5;

/** Pairs of edges after which twice as much is negligible: shapes whose every edge is equally far must not take for ever. */
const PATIENCE = 2000;

/** Looks for the nearest pair of edges. */
class Search {
  #pairs = 0;

  /** From which distance on nothing is gained over a known one. */
  #enough(known: number): number {
    return known - NEGLIGIBLE * 2 ** Math.floor(this.#pairs / PATIENCE);
  }

  /** Looks for something nearer than `known`, in the nearer pair of halves first. */
  run(left: Run, right: Run, known: number): number {
    const size = left.end - left.first;
    const otherSize = right.end - right.first;
    if (size === 1 && otherSize === 1) {
      this.#pairs += 1;
      return edgeDistance(left, right, known, this.#enough(known));
    }
    const pairs: readonly (readonly [Run, Run])[] =
      size >= otherSize ? halves(left).map((half) => [half, right] as const) : halves(right).map((half) => [left, half] as const);
    const bounded = pairs
      .map(([mine, theirs]) => ({ mine, theirs, bound: leastBetween(mine, theirs, this.#enough(known)) }))
      .toSorted((one, other) => one.bound - other.bound);
    let least = known;
    for (const { mine, theirs, bound } of bounded) {
      if (bound < this.#enough(least)) {
        least = this.run(mine, theirs, least);
      }
    }
    return least;
  }
}

function whole({ edges }: Geometry): Run {
  return { edges, node: 1, first: 0, end: edges.edges.length };
}

/**
 * The length in metres of the shortest path on the WGS-84 ellipsoid between two geometries, 0 where they intersect; `undefined` where one
 * is empty.
 */
export function distanceBetween(left: Geometry, right: Geometry): number | undefined {
  if (left.point !== undefined && right.point !== undefined) {
    return geodesicDistance(left.point, right.point);
  }
  if (left.edges.edges.length === 0 || right.edges.edges.length === 0) {
    return undefined;
  }
  return intersects(left, right) ? 0 : new Search().run(whole(left), whole(right), Number.POSITIVE_INFINITY);
}
