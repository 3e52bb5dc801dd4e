import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import type { Argument } from '../function-entry.ts';
import { EdgeSet, type Chain, type Edge } from './edge-set.ts';
import { PointGeometry, type Geometry } from './geometry.ts';
import { findRingFault } from './simple-rings.ts';
import { areAntipodal, samePoint, vertexAt, type Vertex } from './vertex.ts';

/** Positions that one LineString or one Polygon may have, as in the service. */
const MOST_POSITIONS = 4096;

/** Positions that a whole MultiPolygon may have: the service names no limit, and work must have an end. */
const MOST_POSITIONS_IN_ALL: number = 4 * MOST_POSITIONS;

/** Thrown inside this file only; `message` is the reason that ST_ISVALIDDETAILED gives. */
class InvalidGeometry extends Error {}

function asArray(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) {
    throw new InvalidGeometry(`The input is not valid because ${what} must be an array.`);
  }
  return value as readonly JsonValue[];
}

function readPosition(value: JsonValue | undefined): Vertex {
  const position = asArray(value, 'a position');
  const [longitude, latitude] = position;
  if (typeof longitude !== 'number' || typeof latitude !== 'number' || !position.every((number) => typeof number === 'number')) {
    throw new InvalidGeometry('The input is not valid because a position must be an array of two or more numbers.');
  }
  if (!(latitude >= -90 && latitude <= 90)) {
    throw new InvalidGeometry('Latitude values must be between -90 and 90 degrees.');
  }
  if (!(longitude >= -180 && longitude <= 180)) {
    throw new InvalidGeometry('Longitude values must be between -180 and 180 degrees.');
  }
  return vertexAt(longitude, latitude);
}

/** Adds the edges between positions that follow each other; equal neighbours have none. */
function addEdges(edges: Edge[], positions: readonly Vertex[], type: string): Chain {
  const first = edges.length;
  let from = positions[0];
  for (const to of positions.slice(1)) {
    if (from !== undefined && samePoint(from, to)) {
      continue;
    }
    if (from !== undefined && areAntipodal(from, to)) {
      throw new InvalidGeometry(`The ${type} input is not valid because an edge joins antipodal points.`);
    }
    edges.push({ from: from as Vertex, to });
    from = to;
  }
  return { first, end: edges.length };
}

function checkCount(count: number, most: number, type: string): void {
  if (count > most) {
    throw new InvalidGeometry(`The ${type} input is not valid because it has more than ${most} positions.`);
  }
}

function readLine(coordinates: JsonValue | undefined): Geometry {
  const values = asArray(coordinates, "'coordinates' of a LineString");
  checkCount(values.length, MOST_POSITIONS, 'LineString');
  const edges: Edge[] = [];
  const line = addEdges(edges, values.map(readPosition), 'LineString');
  if (edges.length === 0) {
    throw new InvalidGeometry('The LineString input is not valid because it does not have two distinct points.');
  }
  return { type: 'LineString', dimension: 1, edges: new EdgeSet(edges), chains: [line], polygons: [] };
}

function readRing(value: JsonValue, ring: number, edges: Edge[]): Chain {
  const positions = asArray(value, 'a ring of a polygon').map(readPosition);
  const [first] = positions;
  const last = positions.at(-1);
  if (first !== undefined && last !== undefined && !samePoint(first, last)) {
    throw new InvalidGeometry(
      `The Polygon input is not valid because the start and end points of the ring number ${ring} are not the same. Each ring of a polygon must have the same start and end points.`,
    );
  }
  if (positions.length < 4) {
    throw new InvalidGeometry(
      `The Polygon input is not valid because the ring number ${ring} does not have enough points. Each ring of a polygon must contain at least four points.`,
    );
  }
  const chain = addEdges(edges, positions, 'Polygon');
  if (chain.end - chain.first < 3) {
    throw new InvalidGeometry(`The Polygon input is not valid because the ring number ${ring} has fewer than three distinct points.`);
  }
  return chain;
}

function readRings(value: JsonValue | undefined, edges: Edge[], rings: Chain[]): Chain {
  const values = asArray(value, "'coordinates' of a Polygon");
  if (values.length === 0) {
    throw new InvalidGeometry('The Polygon input is not valid because it has no rings.');
  }
  checkCount(countPositions(values), MOST_POSITIONS, 'Polygon');
  const first = rings.length;
  for (const [index, ring] of values.entries()) {
    rings.push(readRing(ring, index + 1, edges));
  }
  return { first, end: rings.length };
}

function countPositions(rings: readonly JsonValue[]): number {
  return rings.reduce<number>((count, ring) => count + (Array.isArray(ring) ? ring.length : 0), 0);
}

function readArea(type: 'Polygon' | 'MultiPolygon', coordinates: JsonValue | undefined): Geometry {
  const values = type === 'Polygon' ? [coordinates] : asArray(coordinates, "'coordinates' of a MultiPolygon");
  const all = values.reduce<number>((count, polygon) => count + (Array.isArray(polygon) ? countPositions(polygon) : 0), 0);
  checkCount(all, MOST_POSITIONS_IN_ALL, type);
  const list: Edge[] = [];
  const chains: Chain[] = [];
  const polygons = values.map((polygon) => readRings(polygon, list, chains));
  const edges = new EdgeSet(list);
  const fault = findRingFault(edges, chains, polygons);
  switch (fault?.kind) {
    case undefined:
      return { type, dimension: 2, edges, chains, polygons };
    case 'overlap':
      throw new InvalidGeometry(`The ${type} input is not valid because some pair of its edges overlap.`);
    case 'intersection':
      throw new InvalidGeometry(
        `The ${type} input is not valid because the ring number ${fault.ring} intersects itself or some other ring.`,
      );
    case 'orientation':
      throw new InvalidGeometry(
        `The ${type} input is not valid because the ring number ${fault.ring} has the inside on its right. The exterior ring of a polygon runs counter-clockwise and lies around its other rings, which run clockwise.`,
      );
    default:
      return fault satisfies undefined as never;
  }
}

/** A geometry, or why a value is none, as a sentence. */
export type GeometryReading = Geometry | string;

/**
 * Reads a GeoJSON geometry: an object with `type` and `coordinates`; other members are ignored.
 *
 * Bad input of any shape gives a reason and never throws.
 */
export function readGeometry(value: Argument): GeometryReading {
  if (!isJsonObject(value)) {
    return "The input is not valid because it is not a GeoJSON object with 'type' and 'coordinates'.";
  }
  const type = Object.hasOwn(value, 'type') ? value['type'] : undefined;
  const coordinates = Object.hasOwn(value, 'coordinates') ? value['coordinates'] : undefined;
  try {
    switch (type) {
      case 'Point':
        return new PointGeometry(readPosition(coordinates));
      case 'LineString':
        return readLine(coordinates);
      case 'Polygon':
      case 'MultiPolygon':
        return readArea(type, coordinates);
      default:
        return "The input is not valid because its 'type' is not Point, LineString, Polygon or MultiPolygon.";
    }
  } catch (error) {
    if (error instanceof InvalidGeometry) {
      return error.message;
    }
    throw error;
  }
}
