import { defineFunction } from '../define-function.ts';
import type { FunctionEntry, FunctionExample, ScalarFunction, SqliteForm } from '../function-entry.ts';
import { foldCase } from '../letter-case.ts';
import { required, rest } from '../parameter.ts';
import { findText } from './find-text.ts';

/** Three-valued AND (`decisive` false) or OR (`decisive` true) over "the text contains this term"; a term that is no string is undefined. */
function containsMany(decisive: boolean, fold: (text: string) => string): ScalarFunction {
  return (text, ...terms) => {
    if (typeof text !== 'string') {
      return undefined;
    }
    const whole = fold(text);
    let open = false;
    for (const term of terms) {
      if (typeof term !== 'string') {
        open = true;
      } else if (findText(whole, fold(term)) >= 0 === decisive) {
        return decisive;
      }
    }
    return open ? undefined : !decisive;
  };
}

const asWritten = (text: string): string => text;

function entry(
  name: string,
  decisive: boolean,
  ignoreCase: boolean,
  sqlite: SqliteForm,
  examples: readonly FunctionExample[],
): FunctionEntry {
  const which = decisive ? 'at least one term' : 'every term';
  const otherwise = decisive ? 'no other is found' : 'no other is missing';
  return defineFunction({
    name,
    aliases: [name.replaceAll('_', '')],
    family: 'string',
    parameters: [required('text', 'string'), required('term', 'string', 'decides'), rest('terms', 'string', 'decides')],
    result: 'boolean',
    summary: `Whether the text contains ${which}${ignoreCase ? ', whatever their case' : ''}; undefined where a term is no text and ${otherwise}.`,
    examples,
    sqlite,
    undefinedArguments: 'pass',
    evaluate: containsMany(decisive, ignoreCase ? foldCase : asWritten),
  });
}

/** Several texts within one. */
export const containsManyFunctions: readonly FunctionEntry[] = [
  entry('CONTAINS_ALL_CI', false, true, 'superset', [
    ["CONTAINS_ALL_CI('red green blue', 'Red', 'BLUE')", true],
    ["CONTAINS_ALL_CI('red green blue', 'red', c.missing)", undefined],
    ["CONTAINS_ALL_CI('red green blue', 'pink', c.missing)", false],
  ]),
  entry('CONTAINS_ALL_CS', false, false, 'exact', [
    ["CONTAINS_ALL_CS('red green blue', 'red', 'blue')", true],
    ["CONTAINS_ALL_CS('red green blue', 'Red', 'blue')", false],
  ]),
  entry('CONTAINS_ANY_CI', true, true, 'superset', [
    ["CONTAINS_ANY_CI('red green blue', 'pink', 'Blue')", true],
    ["CONTAINS_ANY_CI('red green blue', 'pink', c.missing)", undefined],
  ]),
  entry('CONTAINS_ANY_CS', true, false, 'exact', [
    ["CONTAINS_ANY_CS('red green blue', 'pink', 'blue')", true],
    ["CONTAINS_ANY_CS('red green blue', 'pink', 'Blue')", false],
  ]),
];
