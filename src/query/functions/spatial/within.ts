import { isOnArc } from './arcs.ts';
import type { Geometry } from './geometry.ts';
import { hasPiece } from './pieces.ts';
import { locate } from './point-location.ts';
import { samePoint, type Vertex } from './vertex.ts';

function isPointWithin(point: Vertex, whole: Geometry): boolean {
  const { edges, chains } = whole;
  switch (whole.dimension) {
    case 0:
      return samePoint(point, edges.edge(0).from);
    case 1:
      return chains.some(({ first, end }) => {
        const start = edges.edge(first).from;
        const finish = edges.edge(end - 1).to;
        // The ends of an open line are its boundary.
        const isEnd = !samePoint(start, finish) && (samePoint(point, start) || samePoint(point, finish));
        return !isEnd && edges.edges.some(({ from, to }) => isOnArc(from, to, point));
      });
    case 2:
      return locate(edges, point) > 0;
    default:
      return whole.dimension satisfies never;
  }
}

/**
 * Whether no point of `part` is outside `whole`, and their interiors meet: `Within` of the OGC.
 *
 * So a point or a line on the boundary of an area is not within it, and every area is within itself.
 */
export function isWithin(part: Geometry, whole: Geometry): boolean {
  if (part.dimension > whole.dimension) {
    return false;
  }
  if (part.point !== undefined) {
    return isPointWithin(part.point, whole);
  }
  if (part.edges.edges.length === 0 || whole.edges.edges.length === 0) {
    return false;
  }
  let entersInterior = false;
  const leaves = hasPiece(part, whole, (course) => {
    entersInterior ||= course === 'inside';
    // The inside of an area is to the left of its edges, so the boundary of a part must run the same way.
    return course === 'outside' || (course === 'against' && part.dimension === 2);
  });
  if (leaves) {
    return false;
  }
  if (part.dimension === 1) {
    return whole.dimension === 1 || entersInterior;
  }
  // A hole of the whole would begin inside the part.
  return !hasPiece(whole, part, (course) => course === 'inside');
}
