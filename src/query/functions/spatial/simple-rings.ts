import { arcsCross, isOnArc, sideOf } from './arcs.ts';
import type { Chain, EdgeSet } from './edge-set.ts';
import { evenCrossings, FLATTEST, isLeftOfEdges, markOn, sideOfMark, type Mark } from './point-location.ts';
import { samePoint, type Vertex } from './vertex.ts';

/** Why rings bound no area. Rings and polygons are numbered from 1. */
export type RingFault =
  | { readonly kind: 'overlap' }
  | { readonly kind: 'intersection'; readonly ring: number }
  | { readonly kind: 'orientation'; readonly ring: number };

/** For each edge, its ring and the edges before and behind it. */
class RingOrder {
  readonly #edges: EdgeSet;
  readonly #rings: readonly Chain[];
  readonly #ringOf: Int32Array;

  constructor(edges: EdgeSet, rings: readonly Chain[]) {
    this.#edges = edges;
    this.#rings = rings;
    this.#ringOf = new Int32Array(edges.edges.length);
    for (const [ring, { first, end }] of rings.entries()) {
      this.#ringOf.fill(ring, first, end);
    }
  }

  ringOf(edge: number): number {
    return this.#ringOf[edge] as number;
  }

  next(edge: number): number {
    const { first, end } = this.#rings[this.ringOf(edge)] as Chain;
    return edge + 1 === end ? first : edge + 1;
  }

  /** The vertex from which an edge comes to its first vertex. */
  before(edge: number): Vertex {
    const { first, end } = this.#rings[this.ringOf(edge)] as Chain;
    return this.#edges.edge(edge === first ? end - 1 : edge - 1).from;
  }
}

/** Whether, turning counter-clockwise around `centre`, one meets `middle` between `from` and `to`. */
function isInTurn(centre: Vertex, from: Vertex, middle: Vertex, to: Vertex): boolean {
  const first = sideOf(centre, from, middle) >= 0;
  const second = sideOf(centre, middle, to) >= 0;
  const third = sideOf(centre, to, from) > 0;
  return Number(first) + Number(second) + Number(third) >= 2;
}

/** Whether the paths `a`-`centre`-`b` and `c`-`centre`-`d` change sides at their common vertex. */
function pathsCross(centre: Vertex, a: Vertex, b: Vertex, c: Vertex, d: Vertex): boolean {
  return isInTurn(centre, a, c, b) !== isInTurn(centre, a, d, b);
}

function share(a: Vertex, b: Vertex, c: Vertex, d: Vertex): number {
  const ends = [isOnArc(a, b, c) && c, isOnArc(a, b, d) && d, isOnArc(c, d, a) && a, isOnArc(c, d, b) && b];
  const points: Vertex[] = [];
  for (const end of ends) {
    if (end !== false && !points.some((point) => samePoint(point, end))) {
      points.push(end);
    }
  }
  return points.length;
}

function pairFault(edges: EdgeSet, order: RingOrder, lower: number, higher: number): RingFault | undefined {
  const { from: a, to: b } = edges.edge(lower);
  const { from: c, to: d } = edges.edge(higher);
  const crosses = arcsCross(a, b, c, d);
  if (crosses === false) {
    return undefined;
  }
  const intersection: RingFault = { kind: 'intersection', ring: order.ringOf(higher) + 1 };
  if (crosses === true) {
    return intersection;
  }
  const common = share(a, b, c, d);
  if (common > 1) {
    return { kind: 'overlap' };
  }
  if (common === 0 || order.next(lower) === higher || order.next(higher) === lower) {
    return undefined;
  }
  // They touch at one point. Each place is looked at once, from the edges that begin there.
  if (samePoint(a, c)) {
    return pathsCross(a, order.before(lower), b, order.before(higher), d) ? intersection : undefined;
  }
  if (sideOf(c, d, a) === 0 && isOnArc(c, d, a) && !samePoint(a, d)) {
    return pathsCross(a, order.before(lower), b, c, d) ? intersection : undefined;
  }
  if (sideOf(a, b, c) === 0 && isOnArc(a, b, c) && !samePoint(c, b)) {
    return pathsCross(c, order.before(higher), d, a, b) ? intersection : undefined;
  }
  return undefined;
}

/** Whether every edge has the inside on its left when the inside is left of the first edge. */
function inconsistentRing(edges: EdgeSet, rings: readonly Chain[]): number | undefined {
  const origin = rings[0] as Chain;
  for (const [index, ring] of rings.entries()) {
    if (index > 0 && !agree(edges, origin, ring)) {
      return index;
    }
  }
  return undefined;
}

/** Marks of one ring that are tried with each mark of another: sight lines without a clear answer are rare, and work must have an end. */
const MOST_MARKS = 32;

/** Whether a sight line from a mark of one ring to one of the other changes between inside and outside as both orientations say. */
function agree(edges: EdgeSet, left: Chain, right: Chain): boolean {
  for (const flattest of [FLATTEST, 0]) {
    for (const from of marksOf(edges, left)) {
      for (const to of marksOf(edges, right)) {
        const starts = sideOfMark(edges, from, to.point, flattest);
        const arrives = sideOfMark(edges, to, from.point, flattest);
        const even = starts === 0 || arrives === 0 ? undefined : evenCrossings(edges, from.point, to.point, [from.edge, to.edge]);
        if (even !== undefined) {
          return (starts === arrives) === even;
        }
      }
    }
  }
  return false;
}

function marksOf(edges: EdgeSet, { first, end }: Chain): readonly Mark[] {
  const count = Math.min(MOST_MARKS, end - first);
  return Array.from({ length: count }, (_, index) => markOn(edges, first + Math.floor((index * (end - first)) / count)));
}

/** Whether a ring lies left of another one, which it neither crosses nor overlaps: one point of it tells. */
function liesLeftOf(edges: EdgeSet, ring: Chain, other: Chain): boolean {
  return isLeftOfEdges(edges, markOn(edges, ring.first).point, other.first, other.end);
}

/**
 * What is wrong with rings that shall bound an area to their left.
 *
 * Rings may touch themselves and each other at single points. They must not cross or share a stretch, and must agree on what is inside; in
 * one polygon, all others lie within the first.
 *
 * @param polygons runs of `rings`
 */
export function findRingFault(edges: EdgeSet, rings: readonly Chain[], polygons: readonly Chain[]): RingFault | undefined {
  const order = new RingOrder(edges, rings);
  let fault: RingFault | undefined;
  edges.someOwnPair((lower, higher) => {
    fault = pairFault(edges, order, lower, higher);
    return fault !== undefined;
  });
  if (fault !== undefined || rings.length < 2) {
    return fault;
  }
  for (const polygon of polygons) {
    const exterior = rings[polygon.first] as Chain;
    for (let ring = polygon.first + 1; ring < polygon.end; ring++) {
      const hole = rings[ring] as Chain;
      if (!liesLeftOf(edges, hole, exterior) || !liesLeftOf(edges, exterior, hole)) {
        return { kind: 'orientation', ring: ring + 1 };
      }
    }
  }
  const ring = inconsistentRing(edges, rings);
  return ring === undefined ? undefined : { kind: 'orientation', ring: ring + 1 };
}
