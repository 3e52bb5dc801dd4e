import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts';
import { COLUMN_TYPE_NAMES, type ColumnType } from '../../../../src/stores/postgres/columns/column-definition.ts';
import { openPromoted, refused } from './promoted.ts';

const UNFIT = Symbol('unfit');

/** What a column of a type has to hold of a value, as PostgreSQL writes it as text with the zone UTC; `null` for none. */
function expected(type: ColumnType, value: JsonValue | undefined): string | null | typeof UNFIT {
  if (value === undefined || value === null) {
    return null;
  }
  const isWhole = typeof value === 'number' && Number.isInteger(value);
  const hasNul = JSON.stringify(value).replaceAll('\\\\', '').includes('\\u0000');
  switch (type) {
    case 'text':
      return typeof value === 'string' && !hasNul ? value : UNFIT;
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : UNFIT;
    case 'double precision':
    case 'numeric':
      return typeof value === 'number' ? String(value) : UNFIT;
    case 'bigint':
      // By its digits, of which JavaScript writes as many as tell it apart from others.
      return isWhole && Math.abs(value) < 1e20 && BigInt.asIntN(64, BigInt(JSON.stringify(value))) === BigInt(JSON.stringify(value))
        ? JSON.stringify(value)
        : UNFIT;
    case 'integer':
      return isWhole && value >= -(2 ** 31) && value < 2 ** 31 ? String(value) : UNFIT;
    case 'uuid':
      return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu.test(value) ? value.toLowerCase() : UNFIT;
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/u.test(value) && isDay(value) ? value : UNFIT;
    case 'timestamptz':
      return typeof value === 'string' ? timeOf(value) : UNFIT;
    case 'jsonb':
      return hasNul ? UNFIT : JSON.stringify(value);
    default:
      return type satisfies never;
  }
}

function isDay(day: string): boolean {
  const time = new Date(`${day}T00:00:00Z`);
  return !day.startsWith('0000') && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}

/** Microseconds since 1970, in UTC. */
function timeOf(text: string): string | typeof UNFIT {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2}))$/u.exec(text);
  const [, day = '', hour, minute, second = '0', fraction = '', sign, hours = '0', minutes = '0'] = match ?? [];
  if (
    match === null ||
    !isDay(day) ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 59 ||
    Number(hours) > 23 ||
    Number(minutes) > 59
  ) {
    return UNFIT;
  }
  const ahead = (sign === '-' ? -1n : 1n) * (BigInt(hours) * 3600n + BigInt(minutes) * 60n);
  const seconds =
    BigInt(Date.parse(`${day}T00:00:00Z`) / 1000) + BigInt(hour as string) * 3600n + BigInt(minute as string) * 60n + BigInt(second);
  return String((seconds - ahead) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6)));
}

/** A column as text that {@link expected} has too. */
function textOf(type: ColumnType): string {
  return type === 'timestamptz' ? `(extract(epoch FROM v) * 1000000)::bigint::text` : type === 'jsonb' ? 'v' : 'v::text';
}

const digits = (length: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: 10 ** length - 1 }).map((n) => String(n).padStart(length, '0'));
const near = (least: number, most: number): fc.Arbitrary<string> =>
  fc.integer({ min: least, max: most }).map((n) => String(n).padStart(2, '0'));
const day = fc
  .tuple(fc.oneof(digits(4), fc.constantFrom('0000', '0001', '1900', '2000', '2024', '9999')), near(0, 13), near(0, 32))
  .map((parts) => parts.join('-'));
const time = fc
  .tuple(
    day,
    near(0, 25),
    near(0, 61),
    fc.option(near(0, 61)),
    fc.option(fc.integer({ min: 1, max: 10 }).chain(digits)),
    fc.constantFrom('Z', 'z', '', '+02:00', '-11:30', '+24:00', '+14:00', '-23:59', '+0200'),
  )
  .map(
    ([on, hour, minute, second, fraction, zone]) =>
      `${on}T${hour}:${minute}${second === null ? '' : `:${second}${fraction === null ? '' : `.${fraction}`}`}${zone}`,
  );
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\u0000', '\u0001', '\u0002', '\u0003', '\\', 'u', '0', '1', '"', '\n', '\u2028', 'ſ', '😀'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.integer(),
  fc.constantFrom(
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 63,
    2 ** 63 - 1024,
    -(2 ** 63),
    1e21,
    5e-324,
    1.7976931348623157e308,
    0.1,
    1e15 + 0.5,
  ),
);
const value: fc.Arbitrary<JsonValue | undefined> = fc.oneof(
  { weight: 2, arbitrary: text },
  { weight: 3, arbitrary: number },
  { weight: 2, arbitrary: time },
  { weight: 1, arbitrary: day },
  { weight: 1, arbitrary: fc.uuid().map((id) => id.toUpperCase()) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<JsonValue | undefined>(
      true,
      false,
      null,
      undefined,
      '',
      [],
      {},
      'true',
      '1',
      '2024-02-29',
      '2023-02-29T00:00:00Z',
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2, stringUnit: text as never }).map((json) => json as JsonValue) },
) as fc.Arbitrary<JsonValue | undefined>;
/** The value stands below a path, with others beside it that may be odd. */
const content = fc.record({ value, beside: fc.option(text), name: text });

function documentOf(
  id: string,
  { value: v, beside, name }: { readonly value: JsonValue | undefined; readonly beside: string | null; readonly name: string },
): JsonObject & { readonly id: string } {
  const inner: Record<string, JsonValue> = {};
  Object.defineProperty(inner, `${name}.`, { value: beside ?? 1, enumerable: true, configurable: true, writable: true });
  if (v !== undefined) {
    inner['v"\'?'] = JSON.parse(JSON.stringify(v)) as JsonValue;
  }
  return { id, pk: 'p', 'a b': inner };
}

test.each(COLUMN_TYPE_NAMES)(
  'a column of the type %s is what the document says, or the write is refused and nothing changes',
  async (type) => {
    const { backend, store, client, table } = await openPromoted();
    await client.query("SET TIME ZONE 'Asia/Kathmandu'");
    await client.query('SET datestyle = German');
    await backend.promoteColumns('d', 'c', [{ path: '/a b/"v\\"\'?"', type, name: 'v' }]);
    const held = async (): Promise<readonly { readonly v: unknown; readonly body: string }[]> =>
      (
        await client.query<{ v: unknown; body: string }>(
          `SELECT ${type === 'date' ? `to_char(v, 'YYYY-MM-DD')` : textOf(type)} AS v, body FROM ${table}`,
        )
      ).rows;
    const asText = (v: unknown): unknown =>
      v === null ? null : type === 'jsonb' ? JSON.stringify(v) : type === 'numeric' || type === 'double precision' ? String(Number(v)) : v;
    let current: JsonObject & { readonly id: string } = { id: 'x', pk: 'p' };
    await store.create(current);
    await fc.assert(
      fc.asyncProperty(content, async (found) => {
        const next = documentOf('x', found);
        const wanted = expected(type, found.value === undefined ? undefined : (JSON.parse(JSON.stringify(found.value)) as JsonValue));
        const before = await held();
        if (wanted === UNFIT) {
          expect(await refused(store.upsert(next))).toMatchObject({ code: 'INVALID_DOCUMENT', details: { column: 'v' } });
          expect(await held()).toEqual(before);
        } else {
          await store.upsert(next);
          current = next;
          const [row] = await held();
          const got = asText(row?.v);
          expect(type === 'jsonb' && got !== null ? JSON.parse(got as string) : got).toEqual(
            type === 'jsonb' && wanted !== null ? JSON.parse(wanted) : wanted,
          );
        }
        expect((await store.read('x', 'p'))?.document).toMatchObject(current);
      }),
      { numRuns: 60 },
    );
  },
);
