import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { arbitraryFilterText } from '../compile/arbitrary-condition.ts';
import { arbitraryBody, arbitraryValue } from '../compile/arbitrary-document.ts';
import { rowsOf, valueOf } from './run-query.ts';

const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 400);
const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261129);

const literal = arbitraryValue.map((value) => JSON.stringify(value));
const operand = fc.oneof(
  literal,
  fc.constantFrom('c.a', 'c.n', 'c.s', 'c.o', 'c.list', 'c.list[0]', 'c["constructor"]', 'c["__proto__"]', '@p0', '@missing', 'undefined'),
  fc.constantFrom('NaN', 'Infinity', '(-0)', '-1', 'c.n + 1', 'c.n < 2', 'c'),
);
/** Single comparisons, for which conditions have a short way. */
const comparison = fc
  .tuple(operand, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), operand)
  .map(([left, operator, right]) => `${left} ${operator} ${right}`);

const condition = fc.oneof(
  comparison,
  fc.tuple(comparison, fc.constantFrom('AND', 'OR'), comparison).map(([left, operator, right]) => `${left} ${operator} ${right}`),
  arbitraryFilterText
    .filter((text) => text.startsWith('SELECT VALUE 1 FROM c WHERE '))
    .map((text) => text.slice('SELECT VALUE 1 FROM c WHERE '.length)),
);

test(`WHERE keeps a document exactly where its condition has the value true (PERIGEE_FUZZ_SEED=${seed})`, () => {
  const counts = { kept: 0, dropped: 0 };
  const outcome = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      if (isPerigeeError(error)) {
        return error.code;
      }
      throw error;
    }
  };
  fc.assert(
    fc.property(condition, arbitraryBody, arbitraryValue, (text, body, p0) => {
      const values: Record<string, JsonValue> = { '@p0': p0 };
      const document = body as JsonObject;
      const kept = outcome(() => rowsOf(`SELECT VALUE 1 FROM c WHERE ${text}`, [document], { values }).length === 1);
      const isTrue = outcome(() => valueOf(`(${text})`, document, { values }) === true);
      expect(kept, text).toBe(isTrue);
      counts[kept === true ? 'kept' : 'dropped'] += 1;
    }),
    { seed, numRuns },
  );
  expect(Math.min(counts.kept, counts.dropped)).toBeGreaterThan(numRuns / 20);
});
