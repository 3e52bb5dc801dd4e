import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import {
  arbitraryPosition,
  arbitraryStar,
  field,
  line,
  multiPolygon,
  point,
  polygon,
  type Position,
} from '../query/functions/spatial/shapes.ts';

const TYPES = ['Point', 'Polygon', 'MultiPolygon', 'LineString'];

/** Indexes over the places of {@link placed}. */
export const SPATIAL_POLICY: JsonObject = {
  spatialIndexes: [
    { path: '/place/*', types: TYPES },
    { path: '/a/"b c"/?', types: ['Point'] },
  ],
};

/** Places where a box could go wrong: poles, the antimeridian, the ends of the axes, and a few that are near each other. */
const position: fc.Arbitrary<Position> = fc.oneof(
  arbitraryPosition,
  fc.tuple(fc.constantFrom(-180, -179.9, -90, 0, 0.1, 90, 179.9, 180), fc.constantFrom(-90, -89.9, -0.1, 0, 0.1, 45, 89.9, 90)),
);
const centre = fc.tuple(fc.constantFrom(-170, -90, 0, 89, 170), fc.constantFrom(-80, -1, 0, 45, 80));
/** Geometries of all types, and what is none. */
export const shape: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: position.map(([longitude, latitude]) => point(longitude, latitude)) },
  { weight: 2, arbitrary: fc.array(position, { minLength: 2, maxLength: 4 }).map((positions) => line(...positions)) },
  { weight: 2, arbitrary: arbitraryStar(centre, 9).map((ring) => polygon(ring)) },
  { weight: 1, arbitrary: arbitraryStar(centre, 30).map((ring) => polygon(ring.toReversed())) },
  {
    weight: 1,
    arbitrary: fc.constant(
      polygon([
        [0, 80],
        [120, 80],
        [-120, 80],
      ]),
    ),
  },
  { weight: 1, arbitrary: fc.constant(multiPolygon([field(179, -1, -179, 1)], [field(10, 40, 30, 60)])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(null, 'here', { type: 'Point', coordinates: [0, 91] }, { type: 'MultiPolygon', coordinates: [] }),
  },
) as fc.Arbitrary<JsonValue>;

/** What documents hold. */
export const placed: fc.Arbitrary<JsonObject> = fc.record({ place: shape, a: fc.record({ 'b c': shape }) });

const path = fc.constantFrom('c.place', 'c.a["b c"]', 'c.other', 'c["place"]');
const constant = fc.oneof(
  shape.map((value) => JSON.stringify(value)),
  fc.constantFrom('@shape', 'c.a["b c"]'),
);
const metres = fc.oneof(fc.integer({ min: -1, max: 21_000_000 }), fc.constantFrom(0, 1, 1000, 100_000, 1e300)).map(String);
const call = fc.oneof(
  fc
    .tuple(fc.constantFrom('ST_WITHIN', 'ST_INTERSECTS', 'st_within'), path, constant, fc.boolean())
    .map(([name, at, other, turned]) => (turned ? `${name}(${other}, ${at})` : `${name}(${at}, ${other})`)),
  fc
    .tuple(path, constant, fc.constantFrom('<', '<=', '=', '>', '!='), metres, fc.boolean())
    .map(([at, other, operator, most, turned]) =>
      turned ? `${most} ${operator} ST_DISTANCE(${other}, ${at})` : `ST_DISTANCE(${at}, ${other}) ${operator} ${most}`,
    ),
  fc.tuple(path, constant, metres).map(([at, other, most]) => `(ST_DISTANCE(${at}, ${other}) BETWEEN 10 AND ${most})`),
);
/** Conditions over what {@link placed} holds, the constant `@shape` and a number `n`. */
export const placeCondition: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { weight: 4, arbitrary: call },
    { weight: 1, arbitrary: fc.constantFrom('c.n > 2', 'IS_DEFINED(c.n)') },
    { weight: 1, arbitrary: fc.tuple(tie('node'), fc.constantFrom('AND', 'OR'), tie('node')).map((parts) => `(${parts.join(' ')})`) },
    { weight: 1, arbitrary: tie('node').map((node) => `(NOT ${node})`) },
  ),
})).node;
