import fc from 'fast-check';
import { arbitraryNumber, arbitraryText, arbitraryValue, KEYS } from './arbitrary-document.ts';

/** Text of an expression. */
type Text = fc.Arbitrary<string>;

const literal: Text = fc.oneof(
  { weight: 6, arbitrary: arbitraryValue.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.constantFrom('@p0', '@p1', '@p2', '@missing') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'undefined',
      'NaN',
      'Infinity',
      '(-Infinity)',
      '(-0)',
      '0x10',
      '(1 + 1)',
      "LOWER('ABC')",
      '"\\ud800"',
      '[1, undefined]',
      '[NaN]',
    ),
  },
);

const step: Text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('.a', '.b', '.n', '.s', '.list', '.o') },
  { weight: 2, arbitrary: fc.constantFrom(...KEYS).map((name) => `[${JSON.stringify(name)}]`) },
  { weight: 1, arbitrary: fc.constantFrom('[0]', '[1]', '[-1]', '[1.5]', '[@p0]', '[null]', '[4294967296]') },
);

/** What a path of a FROM clause may hold. */
const sourceStep: Text = fc.constantFrom('.list', '.list', '.list', '.o', '.a', '[0]', '["a b"]', '["it\'s"]', '[""]');

function pathFrom(aliases: readonly string[], steps: Text): Text {
  const length = fc.constantFrom(1, 1, 1, 1, 1, 2, 2, 3, 0);
  return fc
    .tuple(
      fc.constantFrom(...aliases),
      length.chain((count) => fc.array(steps, { minLength: count, maxLength: count })),
    )
    .map(([alias, taken]) => `${alias}${taken.length === 0 && alias === 'c' ? '.a' : taken.join('')}`);
}

/** Conditions that have a fair chance to hold. */
function typed(aliases: readonly string[]): Text {
  const alias = fc.constantFrom(...aliases);
  const number = arbitraryNumber.map((value) => JSON.stringify(value));
  const text = arbitraryText.map((value) => JSON.stringify(value));
  const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
  return fc.oneof(
    fc.tuple(alias, fc.constantFrom('n', 'n', 'a'), comparison, number).map(([c, p, o, v]) => `(${c}.${p} ${o} ${v})`),
    fc.tuple(alias, fc.constantFrom('s', 's', 'a'), comparison, text).map(([c, p, o, v]) => `(${c}.${p} ${o} ${v})`),
    fc
      .tuple(alias, alias, comparison, fc.constantFrom('a', 'n', 's', 'b'), fc.constantFrom('a', 'b', 'n', 's'))
      .map(([c, d, o, p, q]) => `(${c}.${p} ${o} ${d}.${q})`),
    fc.tuple(alias, number, number).map(([c, low, high]) => `(${c}.n BETWEEN ${low} AND ${high})`),
    fc
      .tuple(alias, fc.array(fc.oneof(number, text), { minLength: 1, maxLength: 12 }))
      .map(([c, items]) => `(${c}.a IN (${items.join(', ')}))`),
    fc.tuple(fc.constantFrom(...TEXT_TESTS), alias, text).map(([f, c, v]) => `${f}(${c}.s, ${v})`),
    fc.tuple(fc.constantFrom('CONTAINS', 'STARTSWITH', 'ENDSWITH'), alias, text).map(([f, c, v]) => `${f}(${c}.s, ${v}, true)`),
    fc
      .tuple(alias, fc.constantFrom('LIKE', 'LIKE', 'NOT LIKE'), fc.constantFrom(...PATTERNS))
      .map(([c, operator, pattern]) => `(${c}.s ${operator} ${pattern})`),
    fc
      .tuple(
        fc.oneof(
          number,
          alias.map((c) => `${c}.n`),
        ),
        fc.constantFrom('+', '-', '*', '/', '%'),
        alias,
        fc.constantFrom('n', 'a'),
        comparison,
        number,
      )
      .map(([left, operator, c, p, o, v]) => `(${left} ${operator} ${c}.${p} ${o} ${v})`),
    fc
      .tuple(alias, fc.constantFrom('LENGTH(', 'ARRAY_LENGTH(', 'ROUND(', 'ABS('))
      .map(([c, f]) => `(${f}${c}.${f.startsWith('L') ? 's' : f.startsWith('A') && f !== 'ABS(' ? 'list' : 'n'}) >= 1)`),
    fc.tuple(alias, literal).map(([c, v]) => `ARRAY_CONTAINS(${c}.list, ${v})`),
    fc.tuple(alias, comparison, fc.oneof(text, text, number)).map(([c, o, v]) => `(${c}.id ${o} ${v})`),
    fc
      .tuple(alias, comparison, fc.integer({ min: -1, max: 20 }))
      .map(([c, o, v]) => `(${c}._ts ${o} ${1_700_000_000 + v}${v % 3 === 0 ? '.5' : ''})`),
  );
}

const UNARY = ['ABS', 'FLOOR', 'CEILING', 'ROUND', 'TRUNC', 'SIGN', 'SQRT', 'SQUARE', 'LENGTH', 'LOWER', 'UPPER', 'TRIM', 'LTRIM', 'RTRIM'];
const MORE_UNARY = ['ARRAY_LENGTH', 'NUMBERBIN', 'DEGREES', 'RADIANS', 'REVERSE', 'TOSTRING', 'EXP', 'ARRAY_MAX', 'STRINGTONUMBER', 'YEAR'];
const CHECKS = [
  'IS_ARRAY',
  'IS_BOOL',
  'IS_DEFINED',
  'IS_NULL',
  'IS_NUMBER',
  'IS_OBJECT',
  'IS_PRIMITIVE',
  'IS_STRING',
  'IS_INTEGER',
  'IS_FINITE_NUMBER',
];
const TEXT_TESTS = [
  'CONTAINS',
  'STARTSWITH',
  'ENDSWITH',
  'STRINGEQUALS',
  'CONTAINS_ALL_CS',
  'CONTAINS_ANY_CI',
  'CONTAINS_ANY_CS',
  'CONTAINS_ALL_CI',
];
const PATTERNS = [
  "'a%'",
  "'%b'",
  "'%a%'",
  "'a_c'",
  "'%'",
  "''",
  "'a%b'",
  "'[a-c]%'",
  "'[^a]'",
  "'[%]'",
  "'a!%b' ESCAPE '!'",
  "'%a%b%'",
  "'_'",
  "'*'",
  "'[b'",
  "'?%'",
  "'a*_'",
  "'_*b'",
  "'?_'",
  "'_?_'",
  '@p0',
];

function expressions(aliases: readonly string[], loops: number): { readonly value: Text; readonly condition: Text } {
  const path = pathFrom(aliases, step);
  const source = pathFrom(aliases, sourceStep);
  return fc.letrec<{ value: string; condition: string; number: string }>((tie) => {
    const value = tie('value');
    const condition = tie('condition');
    const join = (texts: readonly string[]): string => texts.join(', ');
    const inner = loops === 0 ? undefined : expressions([...aliases, `x${loops}`], loops - 1);
    const loop = fc.tuple(source, inner?.condition ?? fc.constant('true'), inner?.value ?? fc.constant('1'));
    const name = `x${loops}`;
    const exists = fc
      .tuple(
        loop,
        fc.constantFrom('EXISTS', 'EXISTS', 'EXISTS', 'ALL', 'ARRAY', 'FIRST'),
        fc.constantFrom('value', 'list', 'plain', 'group'),
      )
      .map(([[from, where, select], form, shape]) => {
        const what = shape === 'value' ? `VALUE ${select}` : shape === 'list' ? select : shape === 'plain' ? `VALUE ${name}` : 'COUNT(1)';
        const rows = shape === 'plain' && from.length % 3 === 0 ? `${from} AS ${name}` : `${name} IN ${from}`;
        return `${form}(SELECT ${what} FROM ${rows} WHERE ${where})`;
      });
    return {
      number: fc.oneof(path, fc.constantFrom('1', '2', '0', '0.5', '1e308', '3', '@p0'), value),
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 7, arbitrary: path },
        { weight: 4, arbitrary: literal },
        {
          weight: 1,
          arbitrary: fc
            .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>'), tie('number'))
            .map(([l, o, r]) => `(${l} ${o} ${r})`),
        },
        { weight: 1, arbitrary: fc.tuple(value, value).map(([l, r]) => `(${l} || ${r})`) },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom('-', '+', '~', 'NOT '), value).map(([o, e]) => `(${o}(${e}))`) },
        { weight: 1, arbitrary: fc.tuple(value, value).map(([l, r]) => `(${l} ?? ${r})`) },
        { weight: 1, arbitrary: fc.tuple(condition, value, value).map(([c, l, r]) => `(${c} ? ${l} : ${r})`) },
        { weight: 1, arbitrary: fc.tuple(condition, value, value).map((parts) => `IIF(${join(parts)})`) },
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...UNARY, ...UNARY, ...MORE_UNARY), value).map(([f, e]) => `${f}(${e})`) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom('LEFT', 'RIGHT'), value, fc.constantFrom('0', '1', '2', '-1', '99', '1.5', 'c.n'))
            .map(([f, ...rest]) => `${f}(${join(rest)})`),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(value, fc.constantFrom('0', '1', '-1', '9'), fc.constantFrom('0', '1', '2', '9'))
            .map((parts) => `SUBSTRING(${join(parts)})`),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom('CONCAT', 'INDEX_OF', 'NUMBERBIN', 'TRIM'), value, value)
            .map(([f, ...rest]) => `${f}(${join(rest)})`),
        },
        { weight: 1, arbitrary: fc.tuple(value, value, value).map((parts) => `REPLACE(${join(parts)})`) },
        { weight: 1, arbitrary: fc.tuple(value, value).map(([v, body]) => `(LET y = (${v}) IN (${body} ?? y))`) },
        { weight: 1, arbitrary: fc.array(value, { maxLength: 2 }).map((parts) => `[${join(parts)}]`) },
        { weight: 1, arbitrary: condition.map((text) => `(${text})`) },
      ),
      condition: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        {
          weight: 5,
          arbitrary: fc.tuple(path, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), literal).map((parts) => `(${parts.join(' ')})`),
        },
        { weight: 8, arbitrary: typed(aliases) },
        {
          weight: 3,
          arbitrary: fc.tuple(value, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), value).map((parts) => `(${parts.join(' ')})`),
        },
        { weight: 3, arbitrary: fc.tuple(condition, fc.constantFrom('AND', 'OR'), condition).map((parts) => `(${parts.join(' ')})`) },
        { weight: 2, arbitrary: condition.map((text) => `(NOT ${text})`) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(value, fc.constantFrom('BETWEEN', 'NOT BETWEEN'), value, value)
            .map(([v, o, l, h]) => `(${v} ${o} ${l} AND ${h})`),
        },
        {
          weight: 2,
          arbitrary: fc
            .tuple(path, fc.constantFrom('IN', 'NOT IN'), fc.array(literal, { minLength: 1, maxLength: 12 }))
            .map(([v, o, items]) => `(${v} ${o} (${join(items)}))`),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(value, fc.constantFrom('IN', 'NOT IN'), fc.array(value, { minLength: 1, maxLength: 3 }))
            .map(([v, o, items]) => `(${v} ${o} (${join(items)}))`),
        },
        {
          weight: 2,
          arbitrary: fc
            .tuple(value, fc.constantFrom('LIKE', 'NOT LIKE'), fc.constantFrom(...PATTERNS))
            .map((parts) => `(${parts.join(' ')})`),
        },
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...CHECKS), value).map(([f, e]) => `${f}(${e})`) },
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...TEXT_TESTS), value, value).map(([f, ...rest]) => `${f}(${join(rest)})`) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(
              fc.constantFrom('CONTAINS', 'STARTSWITH', 'ENDSWITH', 'STRINGEQUALS'),
              value,
              value,
              fc.constantFrom('true', 'false', '@p0', 'c.a', '1', 'undefined'),
            )
            .map(([f, ...rest]) => `${f}(${join(rest)})`),
        },
        {
          weight: 2,
          arbitrary: fc
            .tuple(fc.constantFrom('ARRAY_CONTAINS', 'ARRAY_CONTAINS_ANY', 'ARRAY_CONTAINS_ALL'), value, value)
            .map(([f, ...rest]) => `${f}(${join(rest)})`),
        },
        {
          weight: 1,
          arbitrary: fc.tuple(path, literal, fc.constantFrom('true', 'false', '@p0')).map((parts) => `ARRAY_CONTAINS(${join(parts)})`),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom('ARRAY_CONTAINS_ANY', 'ARRAY_CONTAINS_ALL'), path, literal, literal)
            .map(([f, ...rest]) => `${f}(${join(rest)})`),
        },
        { weight: 1, arbitrary: fc.tuple(condition, condition, condition).map(([c, l, r]) => `(${c} ? ${l} : ${r})`) },
        { weight: 1, arbitrary: fc.tuple(condition, condition, condition).map((parts) => `IIF(${join(parts)})`) },
        { weight: 1, arbitrary: path },
        { weight: 1, arbitrary: value },
        ...(inner === undefined ? [] : [{ weight: 3, arbitrary: exists }]),
      ),
    };
  });
}

/** Typed conditions chained and negated. */
function simple(aliases: readonly string[]): Text {
  const one = typed(aliases);
  return fc.oneof(
    one,
    one.map((text) => `(NOT ${text})`),
    fc.tuple(one, fc.constantFrom('AND', 'OR', 'OR'), one).map((parts) => parts.join(' ')),
    fc.tuple(one, one, one).map(([a, b, c]) => `NOT (${a} AND (${b} OR NOT ${c}))`),
  );
}

/** A FROM clause with the condition behind it: mostly one container, at times a JOIN or a path. */
export const arbitraryFilterText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: simple(['c']).map((where) => `SELECT VALUE 1 FROM c WHERE ${where}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('JOIN x IN c.list', 'JOIN x IN c["a"]', 'JOIN c.o x'), simple(['c', 'x']))
      .map(([join, where]) => `SELECT VALUE 1 FROM c ${join} WHERE ${where}`),
  },
  { weight: 8, arbitrary: expressions(['c'], 2).condition.map((where) => `SELECT VALUE 1 FROM c WHERE ${where}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('JOIN x IN c.list', 'JOIN x IN c.o', 'JOIN x IN c["a"]', 'JOIN c.a x', 'JOIN y IN c.list JOIN x IN y.list'),
        expressions(['c', 'x'], 1).condition,
      )
      .map(([join, where]) => `SELECT VALUE 1 FROM c ${join} WHERE ${where}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('c IN r.list', 'r.o AS c', 'r.o.a c', 'c IN r.o.list'), expressions(['c'], 1).condition)
      .map(([from, where]) => `SELECT VALUE 1 FROM ${from} WHERE ${where}`),
  },
);

/** Conditions over the alias `c`, which is a document. */
export const arbitraryConditionText: fc.Arbitrary<string> = expressions(['c'], 1).condition;
/** Values over the alias `c`, which is a document. */
export const arbitraryValueText: fc.Arbitrary<string> = expressions(['c'], 0).value;
/** Short conditions over the alias `c` that often hold. */
export const arbitrarySimpleText: fc.Arbitrary<string> = simple(['c']);
