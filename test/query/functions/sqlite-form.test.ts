import { describe, expect, test } from 'vitest';
import { compileAggregates } from '../../../src/query/compile/sqlite/compile-aggregates.ts';
import { compileFilter } from '../../../src/query/compile/sqlite/compile-filter.ts';
import type { FunctionEntry, SqliteForm } from '../../../src/query/functions/function-entry.ts';
import { functionTable } from '../../../src/query/functions/function-table.ts';
import type { ParameterKind } from '../../../src/query/functions/parameter.ts';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { PreparedQuery } from '../../../src/query/prepared-query.ts';
import { prepareQuery } from '../../../src/query/prepare-query.ts';

const CONSTANTS: Readonly<Record<ParameterKind | 'null', string>> = {
  any: "'x'",
  string: "'x'",
  number: '1.5',
  integer: '1',
  int64: '1',
  boolean: 'true',
  array: "['x']",
  object: '{a: 1}',
  date: "'2024-03-05'",
  'date part': "'day'",
  null: 'null',
};

/** Calls with a path for the arguments whose bit is set, and constants for the others. */
function callsOf({ name, parameters }: FunctionEntry): string[] {
  const least = parameters.filter(({ presence }) => presence === 'required');
  const lists = [least, parameters].flatMap((given) =>
    Array.from({ length: 2 ** given.length - 1 }, (_, paths) =>
      given.map(({ kind }, index) => (((paths + 1) & (1 << index)) === 0 ? CONSTANTS[kind] : `c.p${index}`)),
    ),
  );
  return lists.map((list) => `${name}(${list.join(', ')})`);
}

/** Undefined where an argument must be a constant: no call of the language then. */
function prepareIfValid(text: string): PreparedQuery | undefined {
  try {
    return prepareQuery(text);
  } catch (error) {
    if (isPerigeeError(error, 'QUERY_INVALID')) {
      return undefined;
    }
    throw error;
  }
}

function formOf(entry: FunctionEntry): SqliteForm {
  if (entry.aggregate) {
    return compileAggregates(prepareQuery(`SELECT VALUE ${entry.name}(c.a) FROM c`), []) === undefined ? 'none' : 'exact';
  }
  const forms = callsOf(entry).flatMap((call): SqliteForm[] => {
    const condition = entry.result === 'boolean' ? call : `${call} = ${CONSTANTS[entry.result]}`;
    const prepared = prepareIfValid(`SELECT * FROM c WHERE ${condition}`);
    const filter = prepared === undefined ? undefined : compileFilter(prepared, []);
    return filter === undefined || filter.sql === '1' ? [] : [filter.exact ? 'exact' : 'superset'];
  });
  return forms.includes('exact') ? 'exact' : forms.includes('superset') ? 'superset' : 'none';
}

/** Only within ORDER BY RANK. */
const RANKS: ReadonlySet<string> = new Set(['FULLTEXTSCORE', 'RRF']);

describe('the SQLite column of the table is what the compiler does', () => {
  test.each(functionTable.filter(({ name }) => !RANKS.has(name)).map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
    expect(formOf(entry)).toBe(entry.sqlite);
  });
});
