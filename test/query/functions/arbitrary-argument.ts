import fc from 'fast-check';
import type { JsonValue } from '../../../src/core/json.ts';
import { KIND_READERS, type Parameter, type ParameterKind } from '../../../src/query/functions/parameter.ts';

const dates = fc
  .tuple(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), fc.constantFrom(10, 19, 24))
  .map(([date, length]) => date.toISOString().slice(0, length));

const BY_KIND: { readonly [K in ParameterKind]: fc.Arbitrary<JsonValue> } = {
  any: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
  string: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('', 'a', 'A b', '[1]', 'true', '{"a":1}', ',')),
  number: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -9, max: 9 })),
  integer: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.maxSafeInteger()),
  int64: fc.oneof(fc.integer({ min: -3, max: 70 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(Number)),
  boolean: fc.boolean(),
  array: fc.array(fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<JsonValue>, { maxLength: 4 }),
  object: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<JsonValue>, { maxKeys: 3 }),
  date: dates,
  'date part': fc.constantFrom('year', 'yy', 'Month', 'd', 'hh', 'n', 'ss', 'MS', 'mcs', 'ns'),
};

/** Values of every type, odd ones among them. */
const anything: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, 0, 1, -1, 0.5, 1e300, '', 'day', '2024-01-01', 'x', [], [1], {}, { a: 1 }),
  ...Object.values(BY_KIND),
);

/** A value that a parameter takes. */
export function valueFor({ kind }: Parameter): fc.Arbitrary<JsonValue> {
  return BY_KIND[kind];
}

/** A value of another kind than the parameter's. */
export function wrongValueFor({ kind }: Parameter): fc.Arbitrary<JsonValue> {
  return anything.filter((value) => KIND_READERS[kind](value) === undefined);
}
