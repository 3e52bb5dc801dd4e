import { oddCondition } from '../../../query/compile/postgres/odd-documents.ts';

/** SQLSTATE by which the trigger of a container says that a document does not fit a column. */
export const MISFIT_STATE = 'PRG03';

/** A backslash as part of an escape of JSON, in the text of a function. */
const PAIR = "E'\\\\\\\\', E'\\\\u005c'";
const text = (escape: string): string => `E'${escape.replaceAll('\\', '\\\\')}'`;

/**
 * Functions of the catalogue that make columns of documents; part of a migration, so never to be changed.
 *
 * They call nothing but what PostgreSQL has, since a reader of a view need not have any rights on the catalogue.
 *
 * `column_whole` is a document as `jsonb`. `jsonb` refuses U+0000 and half surrogate pairs, so of an odd document all texts are written with escapes: U+0001
 * as U+0001 U+0002, U+0000 as U+0001 U+0001, half a pair as U+0001 U+0003 and its digits. `column_told` gives back what was there, or NULL where
 * it has no place in `jsonb`. Pairs of backslashes give way to another spelling first, so that no escape is taken for the end of one.
 *
 * `column_TYPE` is a value as the type, NULL where it does not fit; what is there and fits is never NULL. All of it is the same whatever the settings.
 */
export function columnFunctions(s: string): readonly string[] {
  const immutable = 'IMMUTABLE PARALLEL SAFE';
  const ofType = (name: string, type: string, kind: string, value: string): string =>
    `CREATE FUNCTION ${s}.column_${name}(value jsonb) RETURNS ${type} LANGUAGE sql ${immutable} AS $$
  SELECT CASE WHEN jsonb_typeof(value) = '${kind}' THEN ${value} END
$$`;
  const whole = (least: string, most: string, type: string): string =>
    `CASE WHEN value::numeric = trunc(value::numeric) AND value::numeric BETWEEN ${least} AND ${most} THEN value::${type} END`;
  const last = "extract(day FROM make_date(m[1]::int, m[2]::int, 1) + interval '1 month - 1 day')";
  const isDay = `m IS NOT NULL AND m[1]::int >= 1 AND m[2]::int BETWEEN 1 AND 12 AND m[3]::int >= 1`;
  return [
    `CREATE FUNCTION ${s}.column_whole(body text) RETURNS jsonb LANGUAGE sql ${immutable} AS $$
  SELECT CASE WHEN ${oddCondition('body')}
    THEN replace(replace(replace(replace(body, ${PAIR}), ${text('\\u0001')}, ${text('\\u0001\\u0002')}), ${text('\\u0000')}, ${text('\\u0001\\u0001')}), ${text('\\ud')}, ${text('\\u0001\\u0003d')})::jsonb
    ELSE body::jsonb END
$$`,
    `CREATE FUNCTION ${s}.column_told(body text, value jsonb) RETURNS jsonb LANGUAGE sql ${immutable} AS $$
  SELECT CASE WHEN value IS NULL OR NOT (${oddCondition('body')}) THEN value
    WHEN strpos(replace(value::text, ${PAIR}), ${text('\\u0001\\u0001')}) > 0 OR strpos(replace(value::text, ${PAIR}), ${text('\\u0001\\u0003')}) > 0 THEN NULL
    ELSE replace(replace(value::text, ${PAIR}), ${text('\\u0001\\u0002')}, ${text('\\u0001')})::jsonb END
$$`,
    ofType('text', 'text', 'string', `value #>> '{}'`),
    ofType('boolean', 'boolean', 'boolean', 'value::boolean'),
    ofType('double_precision', 'double precision', 'number', 'value::double precision'),
    ofType('numeric', 'numeric', 'number', 'value::numeric'),
    ofType('bigint', 'bigint', 'number', whole('-9223372036854775808', '9223372036854775807', 'bigint')),
    ofType('integer', 'integer', 'number', whole('-2147483648', '2147483647', 'integer')),
    ofType(
      'uuid',
      'uuid',
      'string',
      `CASE WHEN value #>> '{}' ~ '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$' THEN (value #>> '{}')::uuid END`,
    ),
    `CREATE FUNCTION ${s}.column_jsonb(value jsonb) RETURNS jsonb LANGUAGE sql ${immutable} AS $$
  SELECT CASE WHEN jsonb_typeof(value) <> 'null' THEN value END
$$`,
    `CREATE FUNCTION ${s}.column_date(value jsonb) RETURNS date LANGUAGE plpgsql ${immutable} AS $$
DECLARE
  m text[] := CASE WHEN jsonb_typeof(value) = 'string' THEN regexp_match(value #>> '{}', '^([0-9]{4})-([0-9]{2})-([0-9]{2})$') END;
BEGIN
  IF ${isDay} THEN
    IF m[3]::int <= ${last} THEN
      RETURN make_date(m[1]::int, m[2]::int, m[3]::int);
    END IF;
  END IF;
  RETURN NULL;
END $$`,
    `CREATE FUNCTION ${s}.column_timestamptz(value jsonb) RETURNS timestamptz LANGUAGE plpgsql ${immutable} AS $$
DECLARE
  m text[] := CASE WHEN jsonb_typeof(value) = 'string' THEN regexp_match(value #>> '{}',
    '^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\\.([0-9]{1,9}))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$') END;
  at timestamp;
  ahead interval;
BEGIN
  IF ${isDay} AND m[4]::int <= 23 AND m[5]::int <= 59 AND coalesce(m[6]::int, 0) <= 59 AND coalesce(m[9]::int, 0) <= 23 AND coalesce(m[10]::int, 0) <= 59 THEN
    IF m[3]::int <= ${last} THEN
      at := make_timestamp(m[1]::int, m[2]::int, m[3]::int, m[4]::int, m[5]::int, coalesce(m[6]::int, 0))
        + left(rpad(coalesce(m[7], ''), 6, '0'), 6)::int * interval '1 microsecond';
      ahead := make_interval(hours => coalesce(m[9]::int, 0), mins => coalesce(m[10]::int, 0));
      RETURN (CASE WHEN m[8] = '-' THEN at + ahead ELSE at - ahead END) AT TIME ZONE 'UTC';
    END IF;
  END IF;
  RETURN NULL;
END $$`,
    // Of numbers that are not negative, as JavaScript writes them.
    `CREATE FUNCTION ${s}.base36(value bigint) RETURNS text LANGUAGE sql ${immutable} AS $$
  SELECT coalesce(nullif(ltrim(string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', (value / power(36::numeric, digit)::bigint % 36)::int + 1, 1), '' ORDER BY digit DESC), '0'), ''), '0')
    FROM generate_series(0, 11) AS digit
$$`,
    // What begins as a digest does is one, so no two values share a key.
    `CREATE FUNCTION ${s}.column_key(value text) RETURNS text LANGUAGE sql ${immutable} AS $$
  SELECT CASE WHEN octet_length(value) <= 1000 AND left(value, 1) <> '#' THEN value ELSE '#' || encode(sha256(convert_to(value, 'UTF8')), 'hex') END
$$`,
  ];
}
