import fc from 'fast-check';
import type { Argument } from '../../../../src/query/functions/function-entry.ts';
import { callFunction } from '../function-cases.ts';

/** `[longitude, latitude]`. */
export type Position = readonly [longitude: number, latitude: number];

/** Open: the first position is not repeated. */
export type Ring = readonly Position[];

export type Shape = { readonly type: string; readonly coordinates: Argument };

export const seed: number = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);

function closed(ring: Ring): Position[] {
  return [...ring, ring[0] as Position];
}

export function point(longitude: number, latitude: number): Shape {
  return { type: 'Point', coordinates: [longitude, latitude] };
}

export function line(...positions: Position[]): Shape {
  return { type: 'LineString', coordinates: positions };
}

export function polygon(...rings: Ring[]): Shape {
  return { type: 'Polygon', coordinates: rings.map(closed) };
}

export function multiPolygon(...polygons: (readonly Ring[])[]): Shape {
  return { type: 'MultiPolygon', coordinates: polygons.map((rings) => rings.map(closed)) };
}

/** Counter-clockwise corners of a field of longitudes and latitudes. */
export function field(west: number, south: number, east: number, north: number): Position[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
}

/** A ring of `count` positions around a centre, in degrees of latitude. */
export function circle([longitude, latitude]: Position, radius: number, count: number): Position[] {
  const stretch = Math.cos((latitude * Math.PI) / 180);
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    return [longitude + (radius * Math.cos(angle)) / stretch, latitude + radius * Math.sin(angle)];
  });
}

export function call(name: string, ...values: readonly (Shape | Argument)[]): Argument {
  return callFunction(name, values as readonly Argument[]);
}

export function distance(first: Shape, second: Shape): number {
  return call('ST_DISTANCE', first, second) as number;
}

export function area(shape: Shape): number {
  return call('ST_AREA', shape) as number;
}

/** To a tenth of a millimetre: figures thinner than the rounding of coordinates have no inside. */
const degrees = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true }).map((angle) => Math.round(angle * 1e9) / 1e9);

/** Positions anywhere, round ones and the odd places of the globe among them. */
export const arbitraryPosition: fc.Arbitrary<Position> = fc.oneof(
  fc.tuple(degrees(-180, 180), degrees(-90, 90)),
  fc.tuple(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -90, max: 90 })),
  fc.tuple(fc.constantFrom(-180, 0, 90, 180), fc.constantFrom(-90, 0, 90)),
);

/** Positions so near each other that shapes of them often meet. */
export const arbitraryNearPosition: fc.Arbitrary<Position> = fc.tuple(
  fc.integer({ min: -6, max: 6 }).map((step) => step / 2),
  fc.integer({ min: -6, max: 6 }).map((step) => step / 2),
);

/** A ring around a centre, each corner in its own direction: it never crosses itself. */
export function arbitraryStar(centre: fc.Arbitrary<Position>, size: number): fc.Arbitrary<Ring> {
  return fc.tuple(centre, fc.array(degrees(0.2, 1), { minLength: 3, maxLength: 12 })).map(([[longitude, latitude], reaches]) =>
    reaches.map((reach, index) => {
      const angle = (2 * Math.PI * (index + 0.25)) / reaches.length;
      return [longitude + size * reach * Math.cos(angle), latitude + size * reach * Math.sin(angle)] as const;
    }),
  );
}

/** Points of the great elliptic arc between two positions, by a way of their own: straight through the earth, then up. */
export function pointsBetween(from: Position, to: Position, count: number): Position[] {
  const flattening = 1 / 298.257223563;
  const vector = ([longitude, latitude]: Position): number[] => {
    const reduced = Math.atan((1 - flattening) * Math.tan((latitude * Math.PI) / 180));
    const angle = (longitude * Math.PI) / 180;
    return [Math.cos(reduced) * Math.cos(angle), Math.cos(reduced) * Math.sin(angle), Math.sin(reduced)];
  };
  const [first, second] = [vector(from), vector(to)];
  return Array.from({ length: count + 1 }, (_, index) => {
    const [x, y, z] = [0, 1, 2].map((axis) => (first[axis] ?? 0) * (1 - index / count) + (second[axis] ?? 0) * (index / count));
    const latitude = Math.atan2(z ?? 0, (1 - flattening) * Math.hypot(x ?? 0, y ?? 0));
    return [(Math.atan2(y ?? 0, x ?? 0) * 180) / Math.PI, (latitude * 180) / Math.PI] as const;
  });
}
