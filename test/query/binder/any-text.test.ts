import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { partitionKeysOf } from '../../../src/query/partition-key-filter.ts';
import { createQueryPlan } from '../../../src/query/plan/create-query-plan.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';
import { printQuery } from '../../../src/query/printer.ts';
import type { QueryErrorEntry } from '../../../src/query/query-errors.ts';
import { arbitraryQuery } from '../parser/arbitrary-query.ts';

/** Prepares and plans a text; the answer is whether it may run. Anything but a typed refusal with places inside the text fails the test. */
function accepts(text: string): boolean {
  try {
    const prepared = prepareQuery(text);
    createQueryPlan(prepared, [
      { name: '@p', value: 1 },
      { name: '@p1', value: 2 },
      { name: '@_q', value: 3 },
    ]);
    partitionKeysOf(prepared, ['/a', '/item/"b c"'], []);
    return true;
  } catch (error) {
    if (!isPerigeeError(error) || !error.code.startsWith('QUERY_')) {
      throw error;
    }
    for (const { location, message } of error.details['errors'] as QueryErrorEntry[]) {
      expect(message).not.toBe('');
      expect(location.start).toBeLessThanOrEqual(location.end);
      expect(location.end).toBeLessThanOrEqual(text.length);
    }
    return false;
  }
}

describe('any text is prepared or refused with a typed error', () => {
  test('queries that the grammar can write', () => {
    fc.assert(
      fc.property(arbitraryQuery, (node) => {
        accepts(printQuery(node));
      }),
      { numRuns: 300 },
    );
  });

  test('words of the language in any order', () => {
    const word = fc.constantFrom(
      ...'SELECT VALUE DISTINCT TOP FROM WHERE GROUP BY ORDER RANK OFFSET LIMIT JOIN IN AS AND OR NOT LIKE BETWEEN EXISTS ARRAY LET udf c . x'.split(
        ' ',
      ),
      ...'( ) [ ] { } , : ? ?? * + - = < || 1 0x 2.5 "s" \'t\' @p COUNT ABS null undefined -- /* */ # \\'.split(' '),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 25 }), fc.constantFrom('', 'SELECT VALUE ', 'SELECT * FROM c WHERE '), (words, start) => {
        accepts(start + words.join(' '));
      }),
      { numRuns: 500 },
    );
  });

  test('any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        accepts(text);
        accepts(`SELECT * FROM c WHERE c["${text}"] = 1`);
      }),
      { numRuns: 200 },
    );
  });

  test('queries as people write them are prepared', () => {
    const path = fc.constantFrom('c.a', 'c.a.b', 'c["odd name"]', 't', 't.n', 'c.list[0]');
    const condition = fc
      .tuple(path, fc.constantFrom('= 1', '> @p', '!= "x"', 'IN (1, null)', 'LIKE "a%"', '|| "x" = "yx"', '?? 1', 'NOT LIKE "b"'))
      .map(([left, right]) => `${left} ${right}`);
    const text = fc
      .tuple(
        fc.oneof(
          fc.array(path, { minLength: 1, maxLength: 3 }).map((paths) => paths.join(', ')),
          path.map((one) => `VALUE ${one}`),
        ),
        fc.array(condition, { maxLength: 3 }).map((all) => (all.length === 0 ? '' : ` WHERE (${all.join(') AND (')})`)),
        fc.constantFrom('', ' ORDER BY c.a', ' ORDER BY c["x"].y DESC, c.z', ' OFFSET 1 LIMIT 2'),
      )
      .map(([columns, where, tail]) => `SELECT ${columns} FROM c JOIN t IN c.list${where}${tail}`);
    fc.assert(fc.property(text, (query) => accepts(query)));
  });
});
