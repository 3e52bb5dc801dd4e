import { arcsTouch } from './arcs.ts';
import type { Geometry } from './geometry.ts';
import { isLeftOfEdges, locate } from './point-location.ts';

/** Whether a chain of a geometry begins inside an area whose boundary it does not meet. */
function hasChainInside(geometry: Geometry, area: Geometry): boolean {
  return (
    area.dimension === 2 &&
    area.edges.edges.length > 0 &&
    geometry.chains.some(({ first }) => isLeftOfEdges(area.edges, geometry.edges.edge(first).from))
  );
}

/** Whether two geometries have a point in common, boundaries included. */
export function intersects(left: Geometry, right: Geometry): boolean {
  if (left.point !== undefined && right.dimension === 2) {
    return locate(right.edges, left.point) >= 0;
  }
  if (right.point !== undefined && left.dimension === 2) {
    return locate(left.edges, right.point) >= 0;
  }
  const meet = left.edges.somePair(right.edges, (mine, theirs) => {
    const { from: a, to: b } = left.edges.edge(mine);
    const { from: c, to: d } = right.edges.edge(theirs);
    return arcsTouch(a, b, c, d);
  });
  // Boundaries that do not meet leave each chain wholly inside or outside. On a sphere neither geometry need be the one around the other.
  return meet || hasChainInside(left, right) || hasChainInside(right, left);
}
