import { EdgeSet, type Chain } from './edge-set.ts';
import type { Vertex } from './vertex.ts';

/** The kinds of geometry that the service documents. */
export type GeometryType = 'Point' | 'LineString' | 'Polygon' | 'MultiPolygon';

/**
 * A valid geometry.
 *
 * The interior of a polygon is to the left of every edge, so a ring that runs clockwise stands for everything around it.
 */
export interface Geometry {
  readonly type: GeometryType;
  /** 0 for points, 1 for lines, 2 for areas. An empty MultiPolygon has no edges. */
  readonly dimension: 0 | 1 | 2;
  readonly edges: EdgeSet;
  /** Of a Point. */
  readonly point?: Vertex | undefined;
  /** The point, the line, or the rings. */
  readonly chains: readonly Chain[];
  /** For areas, the runs of `chains` that make up each polygon, the exterior ring first. */
  readonly polygons: readonly Chain[];
}

const WHOLE_CHAIN: readonly Chain[] = [{ first: 0, end: 1 }];

/** A Point. Its edge of no length is made only where it is compared with edges. */
export class PointGeometry implements Geometry {
  readonly type = 'Point';
  readonly dimension = 0;
  readonly chains: readonly Chain[] = WHOLE_CHAIN;
  readonly polygons: readonly Chain[] = [];
  readonly point: Vertex;
  #edges: EdgeSet | undefined;

  constructor(point: Vertex) {
    this.point = point;
  }

  get edges(): EdgeSet {
    this.#edges ??= new EdgeSet([{ from: this.point, to: this.point }]);
    return this.#edges;
  }
}
