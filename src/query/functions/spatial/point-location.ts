import { arcsCross, arcsTouch, exactSide, isOnArc, type Side } from './arcs.ts';
import type { EdgeSet } from './edge-set.ts';
import { crossProduct, vertexToward, type Vertex } from './vertex.ts';

/** Where a point is, seen from an area: 1 inside, 0 on its boundary, -1 outside. */
export type Location = Side;

/** How far along an edge the sight line ends: no round share, so that it seldom ends on a vertex or a symmetry of the figure. */
const SHARE = 0.45927;

/** Edges that are tried as the end of a sight line before the rest is tried in order. */
const FIRST_TRIES = 8;

/** Gives each index below `count` once, well spread at first. */
function* spreadIndexes(count: number): Generator<number> {
  const tries = Math.min(FIRST_TRIES, count);
  for (let attempt = 0; attempt < tries; attempt++) {
    yield Math.floor((attempt * count) / tries);
  }
  for (let index = 0; index < count; index++) {
    yield index;
  }
}

/** A point on an edge, and which edge it is. */
export interface Mark {
  readonly edge: number;
  readonly point: Vertex;
}

/** A point on an edge between its ends. */
export function markOn(edges: EdgeSet, edge: number): Mark {
  const { from, to } = edges.edge(edge);
  const rest = 1 - SHARE;
  return {
    edge,
    point: vertexToward(from.x * rest + to.x * SHARE, from.y * rest + to.y * SHARE, from.z * rest + to.z * SHARE),
  };
}

/**
 * Whether a sight line from a point to a mark crosses an even number of the edges `[first, end)`, those in `skip` left out.
 *
 * `undefined` where it passes a vertex or runs along an edge, so that nothing can be counted.
 */
export function evenCrossings(
  edges: EdgeSet,
  from: Vertex,
  to: Vertex,
  skip: readonly number[],
  first = 0,
  end: number = edges.edges.length,
): boolean | undefined {
  let even = true;
  const unclear = edges.someNear(from, to, (index) => {
    if (index < first || index >= end || skip.includes(index)) {
      return false;
    }
    const edge = edges.edge(index);
    const crosses = arcsCross(from, to, edge.from, edge.to, exactSide);
    if (crosses === true) {
      even = !even;
    }
    // An end on the other's great ellipse, but not on its arc, is no meeting.
    return crosses === undefined && arcsTouch(from, to, edge.from, edge.to);
  });
  return unclear ? undefined : even;
}

/** The least angle between a sight line and the edge that it ends on: the mark's own rounding must not decide the side. */
export const FLATTEST = 1e-6;

/** The side of a marked edge on which a point lies; 0 where it is seen so flatly from the mark that the side is not sure. */
export function sideOfMark(edges: EdgeSet, { edge, point: mark }: Mark, point: Vertex, flattest: number = FLATTEST): Side {
  const { from, to } = edges.edge(edge);
  const [x, y, z] = crossProduct(from, to);
  const height = x * (point.x - from.x) + y * (point.y - from.y) + z * (point.z - from.z);
  const away = Math.hypot(point.x - mark.x, point.y - mark.y, point.z - mark.z);
  return Math.abs(height) >= flattest * Math.hypot(x, y, z) * away ? exactSide(from, to, point) : 0;
}

/**
 * Whether a point that lies on none of the edges `[first, end)` is in the area to their left.
 *
 * The sight line reaches an edge from the side on which the point lies; each edge that it crosses on the way changes between inside and
 * outside. Counting does not depend on the order of crossings, so slivers do no harm, and the sides are exact.
 */
export function isLeftOfEdges(edges: EdgeSet, point: Vertex, first = 0, end: number = edges.edges.length): boolean {
  // Seen from everywhere flatly are only figures of some atoms, and the antipode of a small one: then any side that is not 0 will do.
  for (const flattest of [FLATTEST, 0]) {
    for (const offset of spreadIndexes(end - first)) {
      const mark = markOn(edges, first + offset);
      const side = sideOfMark(edges, mark, point, flattest);
      const even = side === 0 ? undefined : evenCrossings(edges, point, mark.point, [mark.edge], first, end);
      if (even !== undefined) {
        return even === side > 0;
      }
    }
  }
  return false;
}

/** Where a point is, seen from the area to the left of all edges. */
export function locate(edges: EdgeSet, point: Vertex): Location {
  const onBoundary = edges.someNear(point, point, (index) => {
    const { from, to } = edges.edge(index);
    return isOnArc(from, to, point);
  });
  return onBoundary ? 0 : isLeftOfEdges(edges, point) ? 1 : -1;
}
