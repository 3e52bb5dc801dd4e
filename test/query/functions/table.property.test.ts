import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import type { Argument, FunctionEntry } from '../../../src/query/functions/function-entry.ts';
import { functionTable } from '../../../src/query/functions/function-table.ts';
import { KIND_READERS, type Parameter } from '../../../src/query/functions/parameter.ts';
import { valueOf } from '../evaluator/run-query.ts';
import { valueFor, wrongValueFor } from './arbitrary-argument.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 20261121);
const numRuns = Number(process.env['PERIGEE_FUZZ_RUNS'] ?? 40);
const MOST_REST = 2;

/** Functions over values; the others read documents, or rows, and have tests of their own. */
const scalars = functionTable.filter(({ evaluate, bind }) => evaluate !== undefined || bind !== undefined);

/** Parameters as a call may give them: all required ones, some of the optional ones, some of the rest. */
function arbitraryParameters({ parameters }: FunctionEntry): fc.Arbitrary<readonly Parameter[]> {
  const required = parameters.filter(({ presence }) => presence === 'required');
  const optional = parameters.filter(({ presence }) => presence === 'optional');
  const rest = parameters.filter(({ presence }) => presence === 'rest');
  return fc
    .tuple(fc.nat(optional.length), fc.nat(MOST_REST))
    .map(([given, more]) => [
      ...required,
      ...optional.slice(0, given),
      ...rest.flatMap((parameter) => Array.from({ length: more }, () => parameter)),
    ]);
}

function arbitraryCall(
  entry: FunctionEntry,
): fc.Arbitrary<{ readonly given: readonly Parameter[]; readonly values: readonly JsonValue[] }> {
  return arbitraryParameters(entry).chain((given) => fc.tuple(...given.map(valueFor)).map((values) => ({ given, values })));
}

/** Calls a function through the evaluator; an undefined argument is a parameter without a value. */
function call({ name }: FunctionEntry, values: readonly Argument[]): Argument {
  const given = Object.fromEntries(values.flatMap((value, index) => (value === undefined ? [] : [[`@p${index}`, value]]))) as Record<
    string,
    JsonValue
  >;
  try {
    return valueOf(`${name}(${values.map((_, index) => `@p${index}`).join(', ')})`, {}, { values: given });
  } catch (error) {
    if (isPerigeeError(error, 'QUERY_NOT_SUPPORTED') && name.startsWith('REGEX')) {
      return undefined;
    }
    throw error;
  }
}

function frozen(value: JsonValue): JsonValue {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach((member) => member !== undefined && frozen(member));
    Object.freeze(value);
  }
  return value;
}

function isOfKind(value: Argument, kind: FunctionEntry['result']): boolean {
  return kind === 'null' ? value === null : KIND_READERS[kind](value) !== undefined;
}

describe(`every function of values (PERIGEE_FUZZ_SEED=${seed})`, () => {
  test('is among them but for those that read documents or rows', () => {
    const others = functionTable.filter((entry) => !scalars.includes(entry) && !entry.aggregate).map(({ name }) => name);
    expect(
      others.every((name) => /^(?:DOCUMENTID|FULLTEXT|RRF|ST_|VECTOR)/.test(name)),
      others.join(' '),
    ).toBe(true);
  });

  test.each(scalars.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
    fc.assert(
      fc.property(arbitraryCall(entry), ({ values }) => {
        values.forEach((value) => frozen(value as JsonValue));
        const result = call(entry, values);
        expect(result === undefined || isOfKind(result, entry.result), `${name} gives ${JSON.stringify(result)}`).toBe(true);
        if (entry.deterministic && entry.evaluate !== undefined) {
          expect(call(entry, structuredClone(values) as JsonValue[])).toEqual(result);
        }
      }),
      { seed, numRuns },
    );
  });

  test.each(scalars.filter(({ parameters }) => parameters.length > 0).map((entry) => [entry.name, entry] as const))(
    '%s is undefined for an argument of another kind',
    (_, entry) => {
      const arbitrary = arbitraryCall(entry).chain(({ given, values }) => {
        const strict = given.flatMap(({ kind, wrongKind }, index) => (kind === 'any' || wrongKind === 'decides' ? [] : [index]));
        return fc
          .tuple(fc.constant(values), fc.constantFrom(-1, ...strict), fc.nat(Math.max(values.length - 1, 0)))
          .chain(([all, wrong, absent]) => {
            const parameter = given[wrong];
            return parameter === undefined
              ? fc.constant({ values: all, wrong, absent, replacement: undefined as Argument })
              : wrongValueFor(parameter).map((replacement: Argument) => ({ values: all, wrong, absent, replacement }));
          });
      });
      fc.assert(
        fc.property(
          arbitrary.filter(({ values }) => values.length > 0),
          ({ values, wrong, absent, replacement }) => {
            if (wrong >= 0) {
              expect(call(entry, values.with(wrong, replacement as JsonValue))).toBeUndefined();
            }
            if (entry.undefinedArguments === 'propagate') {
              expect(call(entry, (values as readonly Argument[]).with(absent, undefined))).toBeUndefined();
            }
          },
        ),
        { seed, numRuns },
      );
    },
  );

  test('has an answer of its own for another kind only where it checks its arguments itself', () => {
    for (const { name, parameters, undefinedArguments, exact } of scalars) {
      const decides = parameters.some(({ wrongKind }) => wrongKind === 'decides');
      expect(decides && (undefinedArguments === 'propagate' || exact !== undefined), name).toBe(false);
    }
  });
});
