import { arcsCross, isOnArc } from './arcs.ts';
import type { Edge } from './edge-set.ts';
import type { Geometry } from './geometry.ts';
import { locate } from './point-location.ts';
import { angleBetween, crossProduct, samePoint, vertexToward, type Vertex } from './vertex.ts';

/**
 * Where a piece of an edge runs, seen from another geometry: inside an area, outside it, or along its edges, in their direction (`along`) or
 * against it (`against`).
 */
export type Course = 'inside' | 'outside' | 'along' | 'against';

/** Shorter pieces, in radians, come of rounding: a hundredth of a micrometre. */
const NO_LENGTH = 1e-15;

/** An edge that runs on the same great ellipse, from and to angles of the edge under inspection. */
interface Companion {
  readonly low: number;
  readonly high: number;
  readonly course: 'along' | 'against';
}

/** Whether two arcs of one great ellipse run the same way around the centre. */
function runsAlong(a: Vertex, b: Vertex, c: Vertex, d: Vertex): boolean {
  const [px, py, pz] = crossProduct(a, b);
  const [qx, qy, qz] = crossProduct(c, d);
  return px * qx + py * qy + pz * qz > 0;
}

/** The point of an edge where another one, which crosses it, meets it. */
function crossing(a: Vertex, b: Vertex, c: Vertex, d: Vertex): Vertex {
  const [px, py, pz] = crossProduct(a, b);
  const [qx, qy, qz] = crossProduct(c, d);
  const [x, y, z] = [py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx];
  const sign = x * (a.x + b.x) + y * (a.y + b.y) + z * (a.z + b.z) < 0 ? -1 : 1;
  return vertexToward(x * sign, y * sign, z * sign);
}

/**
 * Calls `visit` with the course of each piece into which another geometry cuts an edge, until it gives true.
 *
 * Pieces end where edges cross or touch, so each has one course, and its middle tells it.
 */
function somePiece(edge: Edge, other: Geometry, visit: (course: Course) => boolean): { stopped: boolean; met: boolean } {
  const cuts: number[] = [];
  const companions: Companion[] = [];
  const { from: a, to: b } = edge;
  let met = false;
  other.edges.someNear(edge.from, edge.to, (index) => {
    const { from: c, to: d } = other.edges.edge(index);
    const crosses = arcsCross(a, b, c, d);
    if (crosses === true) {
      met = true;
      cuts.push(angleBetween(a, crossing(a, b, c, d)));
      return false;
    }
    if (crosses === false) {
      return false;
    }
    const ends = [c, d].filter((end) => isOnArc(a, b, end));
    cuts.push(...ends.map((end) => angleBetween(a, end)));
    const covered = [a, b].filter((end) => isOnArc(c, d, end));
    met ||= ends.length > 0 || covered.length > 0;
    const shared = [...ends, ...covered.filter((end) => !ends.some((known) => samePoint(known, end)))];
    if (shared.length > 1 && !samePoint(c, d)) {
      const low = covered.includes(a) ? 0 : Math.min(...ends.map((end) => angleBetween(a, end)));
      const high = covered.includes(b) ? angleBetween(a, b) : Math.max(...ends.map((end) => angleBetween(a, end)));
      companions.push({ low, high, course: runsAlong(a, b, c, d) ? 'along' : 'against' });
    }
    return false;
  });
  const length = angleBetween(a, b);
  const ordered = [0, ...cuts.toSorted((left, right) => left - right), length];
  const stopped = ordered.slice(1).some((high, index) => {
    const low = ordered[index] as number;
    if (high - low < NO_LENGTH) {
      return false;
    }
    const middle = (low + high) / 2;
    const companion = companions.find((candidate) => candidate.low <= middle && middle <= candidate.high);
    return visit(companion?.course ?? courseAt(a, b, middle / length, other));
  });
  return { stopped, met };
}

function courseAt(a: Vertex, b: Vertex, share: number, other: Geometry): Course {
  if (other.dimension < 2 || other.edges.edges.length === 0) {
    return 'outside';
  }
  const angle = angleBetween(a, b);
  const first = Math.sin((1 - share) * angle);
  const second = Math.sin(share * angle);
  const middle = vertexToward(a.x * first + b.x * second, a.y * first + b.y * second, a.z * first + b.z * second);
  const location = locate(other.edges, middle);
  return location > 0 ? 'inside' : location < 0 ? 'outside' : 'along';
}

/** Whether some piece of the edges of `geometry`, cut by those of `other`, has a course that `wanted` accepts. */
export function hasPiece(geometry: Geometry, other: Geometry, wanted: (course: Course) => boolean): boolean {
  for (const { first, end } of geometry.chains) {
    // An edge that meets nothing goes on as the one before it ended.
    let known: Course | undefined;
    for (let index = first; index < end; index++) {
      const edge = geometry.edges.edge(index);
      const start = known;
      let last: Course | undefined;
      const { stopped, met } = somePieceKnown(edge, other, start, (course) => {
        last = course;
        return wanted(course);
      });
      if (stopped) {
        return true;
      }
      known = met ? undefined : last;
    }
  }
  return false;
}

function somePieceKnown(
  edge: Edge,
  other: Geometry,
  known: Course | undefined,
  visit: (course: Course) => boolean,
): { stopped: boolean; met: boolean } {
  if (known !== undefined && !mayMeet(edge, other)) {
    return { stopped: visit(known), met: false };
  }
  return somePiece(edge, other, visit);
}

function mayMeet(edge: Edge, other: Geometry): boolean {
  return other.edges.someNear(edge.from, edge.to, (index) => {
    const { from, to } = other.edges.edge(index);
    return arcsCross(edge.from, edge.to, from, to) !== false;
  });
}
