import { angleBetween, EQUATORIAL_RADIUS, POLAR_RADIUS, type Vertex } from './vertex.ts';

/** An arc from one vertex to the next; a point is an edge of no length. */
export interface Edge {
  readonly from: Vertex;
  readonly to: Vertex;
}

/** A run of edges that follow each other, `[first, end)`. */
export interface Chain {
  readonly first: number;
  readonly end: number;
}

const MARGIN = 1e-14;

/** Writes least and greatest x, y, z of an arc at an offset. */
function writeArcBox(from: Vertex, to: Vertex, into: Float64Array, at: number): void {
  // No point of an arc is farther from its chord than the middle is.
  const dot = from.x * to.x + from.y * to.y + from.z * to.z;
  const bulge = from === to ? 0 : 1 - Math.sqrt(Math.max(0, (1 + dot) / 2)) + MARGIN;
  into[at] = Math.min(from.x, to.x) - bulge;
  into[at + 1] = Math.min(from.y, to.y) - bulge;
  into[at + 2] = Math.min(from.z, to.z) - bulge;
  into[at + 3] = Math.max(from.x, to.x) + bulge;
  into[at + 4] = Math.max(from.y, to.y) + bulge;
  into[at + 5] = Math.max(from.z, to.z) + bulge;
}

/** Whether two boxes have a point in common. */
function boxesOverlap(boxes: Float64Array, at: number, others: Float64Array, otherAt: number): boolean {
  return (
    (boxes[at] as number) <= (others[otherAt + 3] as number) &&
    (others[otherAt] as number) <= (boxes[at + 3] as number) &&
    (boxes[at + 1] as number) <= (others[otherAt + 4] as number) &&
    (others[otherAt + 1] as number) <= (boxes[at + 4] as number) &&
    (boxes[at + 2] as number) <= (others[otherAt + 5] as number) &&
    (others[otherAt + 2] as number) <= (boxes[at + 5] as number)
  );
}

type PairWalk = (node: number, first: number, end: number, otherNode: number, otherFirst: number, otherEnd: number) => boolean;

/**
 * The edges of a geometry under a tree of boxes.
 *
 * Node 1 is the root, nodes `2n` and `2n + 1` are the halves of node `n`, and each leaf is one edge. Edges that follow each other lie near each
 * other, so their order is as good as a sorted one and costs nothing.
 */
export class EdgeSet {
  readonly edges: readonly Edge[];
  /** Least and greatest x, y, z of each node. */
  readonly #boxes: Float64Array;
  /** Metres from a node's middle vertex within which all of the node lies; made when a distance is asked for. */
  #radii: Float64Array | undefined;

  constructor(edges: readonly Edge[]) {
    this.edges = edges;
    let nodes = 2;
    while (nodes < edges.length * 2) {
      nodes *= 2;
    }
    this.#boxes = new Float64Array(nodes * 6);
    if (edges.length > 0) {
      this.#fillBoxes(1, 0, edges.length);
    }
  }

  edge(index: number): Edge {
    return this.edges[index] as Edge;
  }

  /** Least and greatest x, y, z of all edges; undefined where there are none. */
  bounds(): { low: [number, number, number]; high: [number, number, number] } | undefined {
    const root = this.#boxes.subarray(6, 12);
    const at = (index: number): number => root[index] as number;
    return this.edges.length === 0 ? undefined : { low: [at(0), at(1), at(2)], high: [at(3), at(4), at(5)] };
  }

  #fillBoxes(node: number, first: number, end: number): void {
    const boxes = this.#boxes;
    const at = node * 6;
    if (end - first === 1) {
      const { from, to } = this.edge(first);
      writeArcBox(from, to, boxes, at);
      return;
    }
    const middle = (first + end) >> 1;
    this.#fillBoxes(node * 2, first, middle);
    this.#fillBoxes(node * 2 + 1, middle, end);
    const left = node * 12;
    const right = left + 6;
    for (let side = 0; side < 3; side++) {
      boxes[at + side] = Math.min(boxes[left + side] as number, boxes[right + side] as number);
      boxes[at + side + 3] = Math.max(boxes[left + side + 3] as number, boxes[right + side + 3] as number);
    }
  }

  /** Whether the plane through the centre with this normal passes the node's box. */
  #meetsPlane(node: number, x: number, y: number, z: number): boolean {
    const boxes = this.#boxes;
    const at = node * 6;
    const lowX = x * (boxes[at + (x < 0 ? 3 : 0)] as number);
    const lowY = y * (boxes[at + (y < 0 ? 4 : 1)] as number);
    const lowZ = z * (boxes[at + (z < 0 ? 5 : 2)] as number);
    const highX = x * (boxes[at + (x < 0 ? 0 : 3)] as number);
    const highY = y * (boxes[at + (y < 0 ? 1 : 4)] as number);
    const highZ = z * (boxes[at + (z < 0 ? 2 : 5)] as number);
    return lowX + lowY + lowZ <= MARGIN && highX + highY + highZ >= -MARGIN;
  }

  /** A walk down two trees of boxes at once, each node with the edges that it holds; it ends where `visit` gives true. */
  #pairWalk(other: EdgeSet, visit: (mine: number, theirs: number) => boolean): PairWalk {
    const walk: PairWalk = (node, first, end, otherNode, otherFirst, otherEnd) => {
      if (!boxesOverlap(this.#boxes, node * 6, other.#boxes, otherNode * 6)) {
        return false;
      }
      const size = end - first;
      const otherSize = otherEnd - otherFirst;
      if (size === 1 && otherSize === 1) {
        return visit(first, otherFirst);
      }
      if (size >= otherSize) {
        const middle = (first + end) >> 1;
        return (
          walk(node * 2, first, middle, otherNode, otherFirst, otherEnd) || walk(node * 2 + 1, middle, end, otherNode, otherFirst, otherEnd)
        );
      }
      const middle = (otherFirst + otherEnd) >> 1;
      return walk(node, first, end, otherNode * 2, otherFirst, middle) || walk(node, first, end, otherNode * 2 + 1, middle, otherEnd);
    };
    return walk;
  }

  /** Calls `visit` with each pair of edges, one of each set, whose boxes overlap, until it gives true. */
  somePair(other: EdgeSet, visit: (mine: number, theirs: number) => boolean): boolean {
    const walk = this.#pairWalk(other, visit);
    return this.edges.length > 0 && other.edges.length > 0 && walk(1, 0, this.edges.length, 1, 0, other.edges.length);
  }

  /** As `somePair` with itself: each pair once, the lower index first, no edge with itself. */
  someOwnPair(visit: (lower: number, higher: number) => boolean): boolean {
    const across = this.#pairWalk(this, visit);
    const within = (node: number, first: number, end: number): boolean => {
      if (end - first < 2) {
        return false;
      }
      const middle = (first + end) >> 1;
      return (
        within(node * 2, first, middle) || within(node * 2 + 1, middle, end) || across(node * 2, first, middle, node * 2 + 1, middle, end)
      );
    };
    return within(1, 0, this.edges.length);
  }

  /** Calls `visit` with each edge that the arc from one vertex to another may meet, until it gives true. */
  someNear(from: Vertex, to: Vertex, visit: (edge: number) => boolean): boolean {
    const box = new Float64Array(6);
    writeArcBox(from, to, box, 0);
    const x = from.y * to.z - from.z * to.y;
    const y = from.z * to.x - from.x * to.z;
    const z = from.x * to.y - from.y * to.x;
    const walk = (node: number, first: number, end: number): boolean => {
      if (!boxesOverlap(this.#boxes, node * 6, box, 0) || !this.#meetsPlane(node, x, y, z)) {
        return false;
      }
      if (end - first === 1) {
        return visit(first);
      }
      const middle = (first + end) >> 1;
      return walk(node * 2, first, middle) || walk(node * 2 + 1, middle, end);
    };
    return this.edges.length > 0 && walk(1, 0, this.edges.length);
  }

  /** Metres through the earth between the boxes of a node and of one of another set. */
  chord(node: number, other: EdgeSet, otherNode: number): number {
    const boxes = this.#boxes;
    const others = other.#boxes;
    let squares = 0;
    for (let side = 0; side < 3; side++) {
      const at = node * 6 + side;
      const otherAt = otherNode * 6 + side;
      const gap = Math.max(
        0,
        (boxes[at] as number) - (others[otherAt + 3] as number),
        (others[otherAt] as number) - (boxes[at + 3] as number),
      );
      squares += (gap * (side === 2 ? POLAR_RADIUS : EQUATORIAL_RADIUS)) ** 2;
    }
    return Math.sqrt(squares);
  }

  /** The vertex in the middle of the node `[first, end)`. */
  centre(first: number, end: number): Vertex {
    return this.edge((first + end) >> 1).from;
  }

  /** A length in metres such that every point of the node is at most that far from its centre. */
  radius(node: number, first: number, end: number): number {
    if (this.#radii === undefined) {
      this.#radii = new Float64Array(this.#boxes.length / 6);
      this.#fillRadii(1, 0, this.edges.length);
    }
    return first === end ? 0 : (this.#radii[node] as number);
  }

  #fillRadii(node: number, first: number, end: number): void {
    const radii = this.#radii as Float64Array;
    const centre = this.centre(first, end);
    if (end - first === 1) {
      // The arc on the unit sphere, times the greater semi-axis, is at least as long as the arc on the ellipsoid.
      radii[node] = angleBetween(centre, this.edge(first).to) * EQUATORIAL_RADIUS;
      return;
    }
    const middle = (first + end) >> 1;
    this.#fillRadii(node * 2, first, middle);
    this.#fillRadii(node * 2 + 1, middle, end);
    radii[node] = Math.max(
      angleBetween(centre, this.centre(first, middle)) * EQUATORIAL_RADIUS + (radii[node * 2] as number),
      angleBetween(centre, this.centre(middle, end)) * EQUATORIAL_RADIUS + (radii[node * 2 + 1] as number),
    );
  }
}
