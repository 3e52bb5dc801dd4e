/**
 * The part of the map in which a geometry lies, as PostgreSQL finds it for an index.
 *
 * It is larger than the geometry and never smaller, and everywhere where that is not plain: so what the evaluator finds always has the entry that is
 * looked up.
 */

/** Names the function of {@link geometryBoxFunctions}. */
export const GEOMETRY_BOX = 'geometry_box';

const PATH_BOX = 'geometry_path_box';

const EVERYWHERE = "'(180,90),(-180,-90)'::box";

/** A tenth of a millimetre, in degrees: more than what rounding does to a latitude that is computed. */
const MARGIN = '1e-9';

/** Nearer to half a turn, or to a pole, an arc may be anywhere. */
const WIDEST = 179;
const NEAREST_POLE = 89;

/** A part of the area that the terms of its sum add up to without signs; less may be rounding. */
const SURE_AREA = '1e-12';

/** A coordinate of a position: NULL where there is none. It is compared before anything is computed of it, which could be out of range. */
function coordinate(position: string, at: 0 | 1): string {
  const [number, most] = [`(${position} -> ${at})`, at === 0 ? 180 : 90];
  return `CASE WHEN jsonb_typeof${number} = 'number' THEN CASE WHEN ${number}::float8 BETWEEN -${most} AND ${most} THEN ${number}::float8 END END`;
}

/** Rows of the positions in an array. */
const POSITIONS = `(
          SELECT n, ${coordinate('position', 0)} AS x, ${coordinate('position', 1)} AS y
            FROM jsonb_array_elements(positions) WITH ORDINALITY AS e (position, n)
        ) AS read`;

/**
 * The functions of the catalogue that give the box, longitudes across and latitudes up, of what may be a valid geometry, and NULL for what is none. Part of
 * a migration, so never to be changed: an index of another meaning needs functions of other names.
 *
 * They raise no error whatever the value. A line or ring whose positions lie within half a turn, and away from the poles, is within the longitudes of these;
 * between two of them at most `d` degrees apart an arc reaches no latitude whose tangent is more than the greatest of theirs by the cosine of half of `d`.
 * Within a ring that runs counter-clockwise lies nothing that is not within these bounds. Which way it runs is the sign of its area in the gnomonic projection
 * from a point of the equator, in which arcs are straight; a ring that runs the other way stands for everything around it.
 *
 * `COST` tells PostgreSQL not to compute it for many documents where an index has it.
 */
export function geometryBoxFunctions(s: string): readonly string[] {
  return [
    `CREATE FUNCTION ${s}.${PATH_BOX}(positions jsonb, is_ring boolean) RETURNS box LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
DECLARE
  west float8;
  east float8;
  south float8;
  north float8;
  step float8;
  places bigint;
  known bigint;
  area float8;
  size float8;
  bulge float8;
BEGIN
  IF jsonb_typeof(positions) <> 'array' THEN
    RETURN NULL;
  END IF;
  SELECT min(x), max(x), min(y), max(y), max(abs(x - before)), count(*), count(x) + count(y)
    INTO west, east, south, north, step, places, known
    FROM (
      SELECT x, y, lag(x) OVER (ORDER BY n) AS before
        FROM ${POSITIONS}
    ) AS path;
  IF places < 2 OR known < 2 * places THEN
    RETURN NULL;
  END IF;
  IF east - west >= ${WIDEST} OR south < -${NEAREST_POLE} OR north > ${NEAREST_POLE} THEN
    RETURN ${EVERYWHERE};
  END IF;
  IF is_ring THEN
    SELECT -sum((u - u0) * (v + v0)), sum(abs(u - u0)) * (1 + max(abs(v)))
      INTO area, size
      FROM (
        SELECT u, v, lag(u) OVER (ORDER BY n) AS u0, lag(v) OVER (ORDER BY n) AS v0
          FROM (
            SELECT n, tan(radians(x - (west + east) / 2)) AS u, tan(radians(y)) / cos(radians(x - (west + east) / 2)) AS v
              FROM ${POSITIONS}
          ) AS seen
      ) AS path;
    IF NOT coalesce(area > ${SURE_AREA} * size, false) THEN
      RETURN ${EVERYWHERE};
    END IF;
  END IF;
  bulge := cos(radians(step / 2));
  IF north > 0 THEN
    north := degrees(atan(tan(radians(north)) / bulge));
  END IF;
  IF south < 0 THEN
    south := degrees(atan(tan(radians(south)) / bulge));
  END IF;
  RETURN box(point(east, least(90, north + ${MARGIN})), point(west, greatest(-90, south - ${MARGIN})));
END $$`,
    `CREATE FUNCTION ${s}.${GEOMETRY_BOX}(value jsonb) RETURNS box LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
DECLARE
  coordinates jsonb;
  x float8;
  y float8;
  part jsonb;
  one box;
  whole box;
BEGIN
  IF jsonb_typeof(value) <> 'object' THEN
    RETURN NULL;
  END IF;
  coordinates := value -> 'coordinates';
  IF coalesce(jsonb_typeof(coordinates), '') <> 'array' THEN
    RETURN NULL;
  END IF;
  CASE value ->> 'type'
    WHEN 'Point' THEN
      x := ${coordinate('coordinates', 0)};
      y := ${coordinate('coordinates', 1)};
      RETURN box(point(x, y), point(x, y));
    WHEN 'LineString' THEN
      RETURN ${s}.${PATH_BOX}(coordinates, false);
    WHEN 'Polygon' THEN
      RETURN ${s}.${PATH_BOX}(coordinates -> 0, true);
    WHEN 'MultiPolygon' THEN
      FOR part IN SELECT e -> 0 FROM jsonb_array_elements(coordinates) AS e LOOP
        one := ${s}.${PATH_BOX}(part, true);
        IF one IS NULL THEN
          RETURN NULL;
        END IF;
        whole := coalesce(bound_box(whole, one), one);
      END LOOP;
      RETURN whole;
    ELSE
      RETURN NULL;
  END CASE;
END $$`,
  ];
}
