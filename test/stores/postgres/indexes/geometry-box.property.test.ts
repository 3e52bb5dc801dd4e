import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.ts';
import { readGeometry } from '../../../../src/query/functions/spatial/read-geometry.ts';
import { vertexToward, type Vertex } from '../../../../src/query/functions/spatial/vertex.ts';
import { GEOMETRY_BOX, geometryBoxFunctions } from '../../../../src/stores/postgres/indexes/geometry-box.ts';
import {
  arbitraryPosition,
  arbitraryStar,
  call,
  circle,
  field,
  line,
  point,
  polygon,
  seed,
  type Shape,
} from '../../../query/functions/spatial/shapes.ts';
import { postgresForTests } from '../../../support/postgres.ts';
import { shape } from '../../spatial-queries.ts';

interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

const EVERYWHERE: Box = { west: -180, south: -90, east: 180, north: 90 };

describe('the box that PostgreSQL makes of a geometry', () => {
  let client: pg.Client;
  let schema = '';
  beforeAll(async () => {
    const { url, freshSchema } = await postgresForTests();
    schema = freshSchema();
    client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`CREATE SCHEMA ${schema}`);
    for (const statement of geometryBoxFunctions(schema)) {
      await client.query(statement);
    }
  });
  afterAll(async () => {
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    await client.end();
  });

  async function boxesOf(values: readonly unknown[]): Promise<readonly (Box | undefined)[]> {
    const { rows } = await client.query<{ east: number | null; north: number; west: number; south: number }>(
      `SELECT (b[0])[0] AS east, (b[0])[1] AS north, (b[1])[0] AS west, (b[1])[1] AS south
        FROM unnest($1::jsonb[]) WITH ORDINALITY AS v (one, n), ${schema}.${GEOMETRY_BOX}(one) AS b ORDER BY n`,
      [values.map((value) => JSON.stringify(value))],
    );
    return rows.map(({ east, ...rest }) => (east === null ? undefined : { east, ...rest }));
  }

  /** Longitude and latitude of places on an arc. */
  function onArc({ from, to }: { readonly from: Vertex; readonly to: Vertex }): readonly (readonly [number, number])[] {
    return [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((share) => {
      const { longitude, latitude } = vertexToward(
        from.x + share * (to.x - from.x),
        from.y + share * (to.y - from.y),
        from.z + share * (to.z - from.z),
      );
      return [longitude, latitude] as const;
    });
  }

  /** At a pole and at the antimeridian one place has several longitudes. */
  function holds({ west, south, east, north }: Box, [longitude, latitude]: readonly [number, number]): boolean {
    const rounding = 1e-7;
    const isBetween = (one: number): boolean => one >= west - rounding && one <= east + rounding;
    return (
      latitude >= south - rounding &&
      latitude <= north + rounding &&
      (isBetween(longitude) || Math.abs(latitude) > 90 - rounding || (Math.abs(longitude) > 180 - rounding && isBetween(-longitude)))
    );
  }

  const wide = fc.array(arbitraryPosition, { minLength: 3, maxLength: 6 }).map((ring) => polygon(ring));
  const star = arbitraryStar(fc.tuple(fc.constantFrom(-175, -90, 0, 20, 178), fc.constantFrom(-85, -60, 0, 3, 60, 85)), 40);
  const any = fc.oneof(
    shape,
    wide,
    star.map((ring) => polygon(ring)),
    star.map((ring) => polygon(ring.toReversed())),
    fc.array(arbitraryPosition, { minLength: 2, maxLength: 5 }).map((positions) => line(...positions)),
  );

  test(`holds all of it, whatever its kind, its size and its place (PERIGEE_FUZZ_SEED=${seed})`, { timeout: 60_000 }, async () => {
    let valid = 0;
    let bounded = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(any, { minLength: 60, maxLength: 60 }),
        fc.array(arbitraryPosition, { minLength: 40, maxLength: 40 }),
        async (values, places) => {
          const boxes = await boxesOf(values);
          for (const [at, value] of values.entries()) {
            const geometry = readGeometry(value as JsonValue);
            if (typeof geometry === 'string') {
              continue;
            }
            const box = boxes[at];
            if (geometry.chains.length === 0) {
              expect(box).toBeUndefined();
              continue;
            }
            expect(box, JSON.stringify(value)).toBeDefined();
            valid += 1;
            if ((box as Box).east - (box as Box).west >= 360) {
              continue;
            }
            bounded += 1;
            const within = places.filter(
              (place) => geometry.dimension === 2 && call('ST_WITHIN', point(...place), value as unknown as Shape) === true,
            );
            for (const place of [...geometry.edges.edges.flatMap(onArc), ...within]) {
              expect(holds(box as Box, place), `${JSON.stringify(value)} ${JSON.stringify(place)} ${JSON.stringify(box)}`).toBe(true);
            }
          }
        },
      ),
      { seed, numRuns: 40 },
    );
    expect(valid).toBeGreaterThan(1000);
    expect(bounded / valid).toBeGreaterThan(0.4);
  });

  test('raises no error, whatever the value', async () => {
    const broken = fc.oneof(
      fc.jsonValue(),
      fc.record({
        type: fc.constantFrom<JsonValue>('Point', 'LineString', 'Polygon', 'MultiPolygon', 7, null),
        coordinates: fc.oneof(
          fc.jsonValue(),
          fc.array(fc.array(fc.constantFrom<JsonValue>(1e308, -1e308, 5e-324, 200, 0, 'x', null))),
          fc.array(fc.array(fc.array(fc.constantFrom<JsonValue>(180, -180, 90, 1e-300, 0, [], 'x')))),
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(broken, { minLength: 50, maxLength: 50 }), async (values) => {
        expect(await boxesOf(values)).toHaveLength(50);
      }),
      { seed, numRuns: 20 },
    );
  });

  test.each<{ what: string; value: unknown; box: Box; wider: number }>([
    { what: 'a point', value: point(8.5, 47.25), box: { west: 8.5, south: 47.25, east: 8.5, north: 47.25 }, wider: 0 },
    {
      what: 'an arc that runs north of both ends',
      value: line([0, 60], [60, 60]),
      box: { west: 0, south: 60, east: 60, north: 63.43 },
      wider: 0.01,
    },
    { what: 'a field', value: polygon(field(10, -1, 12, 1)), box: { west: 10, south: -1, east: 12, north: 1 }, wider: 0.01 },
    {
      what: 'a circle of ten metres',
      value: polygon(circle([7, 51], 1e-4, 30)),
      box: { west: 7, south: 51, east: 7, north: 51 },
      wider: 0.001,
    },
    { what: 'a ring that runs the other way', value: polygon(field(10, -1, 12, 1).toReversed()), box: EVERYWHERE, wider: 0 },
    { what: 'what lies across the antimeridian', value: line([179, 0], [-179, 0]), box: EVERYWHERE, wider: 0 },
  ])('is that of $what', async ({ value, box, wider }) => {
    const [found] = (await boxesOf([value])) as readonly [Box];
    for (const side of ['west', 'south', 'east', 'north'] as const) {
      expect(Math.abs(found[side] - box[side]), side).toBeLessThanOrEqual(wider);
    }
  });

  test.each([
    { type: 'Circle', coordinates: [1, 2] },
    point(0, 91),
    point(-181, 0),
    null,
    'here',
    { type: 'MultiPolygon', coordinates: [] },
  ])('is none of %j, which is no geometry', async (value) => {
    expect(await boxesOf([value])).toEqual([undefined]);
  });
});
