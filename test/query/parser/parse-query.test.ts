import { describe, expect, test } from 'vitest';
import { isPerigeeError, type PerigeeError } from '../../../src/core/errors.ts';
import { parseCondition, parseQuery } from '../../../src/query/parser/parse-query.ts';
import { printExpression, printQuery } from '../../../src/query/printer.ts';
import type { ExpressionNode, QueryNode } from '../../../src/query/syntax-nodes.ts';

function failure(run: () => unknown): PerigeeError {
  try {
    run();
  } catch (error) {
    if (isPerigeeError(error)) {
      return error;
    }
    throw error;
  }
  throw new Error('expected a refusal');
}

function valueOf(text: string): ExpressionNode {
  const { select } = parseQuery(`SELECT VALUE ${text}`);
  if (select.kind !== 'select-value') {
    throw new Error('no SELECT VALUE');
  }
  return select.expression;
}

/** The tree with parentheses around every operator. */
function shape(node: ExpressionNode): string {
  switch (node.kind) {
    case 'binary':
      return `(${shape(node.left)} ${node.operator} ${shape(node.right)})`;
    case 'unary':
      return `(${node.operator} ${shape(node.operand)})`;
    case 'in':
      return `(${shape(node.operand)}${node.negated ? ' NOT' : ''} IN ${node.items.map(shape).join(' ')})`;
    case 'like':
      return `(${shape(node.operand)}${node.negated ? ' NOT' : ''} LIKE ${shape(node.pattern)})`;
    case 'between':
      return `(${shape(node.operand)}${node.negated ? ' NOT' : ''} BETWEEN ${shape(node.low)} ${shape(node.high)})`;
    case 'coalesce':
      return `(${shape(node.left)} ?? ${shape(node.right)})`;
    case 'conditional':
      return `(${shape(node.condition)} ? ${shape(node.whenTrue)} : ${shape(node.otherwise)})`;
    default:
      return printExpression(node);
  }
}

describe('precedence', () => {
  test.each([
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 | 2 + 3', '((1 | 2) + 3)'],
    ['1 - 2 & 3 ^ 4', '(((1 - 2) & 3) ^ 4)'],
    ['"a" || "b" + 1', '("a" || ("b" + 1))'],
    ['1 << 2 + 1', '(1 << (2 + 1))'],
    ['a = b = c', '((a = b) = c)'],
    ['a < b >> c != d', '(((a < b) >> c) != d)'],
    ['NOT a = b', '((NOT a) = b)'],
    ['NOT a IN (1)', '((NOT a) IN 1)'],
    ['NOT NOT a.b', '(NOT (NOT a.b))'],
    ['-a.b[0]', '(- a.b[0])'],
    ['a = 1 AND b = 2 OR c = 3', '(((a = 1) AND (b = 2)) OR (c = 3))'],
    ['a OR b AND c', '(a OR (b AND c))'],
    ['a IN (1, 2) AND b NOT LIKE "x"', '((a IN 1 2) AND (b NOT LIKE "x"))'],
    ['a + 1 NOT IN (2)', '((a + 1) NOT IN 2)'],
    ['a BETWEEN 1 + 1 AND 2 = 3', '(a BETWEEN (1 + 1) (2 = 3))'],
    ['a NOT BETWEEN 1 AND 2 ?? 3', '((a NOT BETWEEN 1 2) ?? 3)'],
    ['a ?? b = c', '(a ?? (b = c))'],
    ['a ?? b ?? c', '(a ?? (b ?? c))'],
    ['a ? b ? 1 : 2 : c ? 3 : 4', '(a ? (b ? 1 : 2) : (c ? 3 : 4))'],
    ['a ?? b OR c ? 1 : 2', '((a ?? (b OR c)) ? 1 : 2)'],
    ['(a OR b) AND c', '((a OR b) AND c)'],
    ['c.ab-cd', '(c.ab - cd)'],
  ])('%s is %s', (text, expected) => {
    expect(shape(valueOf(text))).toBe(expected);
  });
});

describe('words and literals', () => {
  test('keywords and the words for values are read in any case, names keep theirs', () => {
    const node = parseQuery('sElEcT dIsTiNcT vAlUe [TRUE, False, nULL, UNDEFINED] fRoM MyItems');
    expect(printQuery(node, 'line')).toBe('SELECT DISTINCT VALUE [true, false, null, undefined] FROM MyItems');
  });

  test.each([
    [String.raw`'it\'s'`, "it's"],
    [String.raw`"a\"b\\c\/d"`, 'a"b\\c/d'],
    [String.raw`"\b\f\n\r\t"`, '\b\f\n\r\t'],
    [String.raw`'\u00e9\uD83D\ude00'`, 'é😀'],
    [`'"'`, '"'],
    ['"two\nlines"', 'two\nlines'],
  ])('the string %s', (text, value) => {
    expect(valueOf(text)).toMatchObject({ kind: 'literal', value });
  });

  test.each([
    ['12', 12],
    ['1.5e-3', 0.0015],
    ['2E+4', 20_000],
    ['0xfF', 255],
    ['.25', 0.25],
  ])('the number %s', (text, value) => {
    expect(valueOf(text)).toMatchObject({ kind: 'number', value, text });
  });

  test('a number keeps the digits that a double loses', () => {
    expect(valueOf('9223372036854775807')).toMatchObject({ text: '9223372036854775807' });
  });

  test('comments count as blanks', () => {
    expect(printQuery(parseQuery('SELECT/* all */* -- of it\nFROM c /* even\nthis */'), 'line')).toBe('SELECT * FROM c');
  });

  test('LET, RANK, ALL, FIRST and LAST are names where no construct of theirs stands', () => {
    const text = 'SELECT LET.rank, ALL(1), FIRST.last AS LAST FROM RANK AS let JOIN first IN let.all ORDER BY rank';
    expect(printQuery(parseQuery(text), 'line')).toBe(text);
  });

  test('LEFT and RIGHT are reserved and callable', () => {
    expect(valueOf('left(c.a, 1)')).toMatchObject({ kind: 'call', name: 'left' });
    expect(failure(() => valueOf('left')).code).toBe('QUERY_SYNTAX');
  });
});

describe('clauses', () => {
  test.each([
    'SELECT *',
    'SELECT VALUE {"a": 1, "b": [c.x, @p]} FROM c',
    'SELECT c.a AS "odd name", c.b, 1 FROM Root AS c',
    'SELECT TOP @n * FROM c WHERE c.a = @a ORDER BY c.b DESC OFFSET @o LIMIT 5',
    'SELECT c.k, COUNT(1) AS n FROM c GROUP BY c.k, c["z"][0]',
    'SELECT * FROM c.a["b d"][2] AS x JOIN y IN x.list JOIN z IN (SELECT VALUE w FROM w IN y.more)',
    'SELECT VALUE udf.taxOf(c.price, 0.2) FROM c',
    'SELECT VALUE EXISTS(SELECT VALUE t FROM t IN c.tags WHERE t = "x") FROM c',
    'SELECT VALUE [ARRAY(SELECT *), ALL(SELECT *), FIRST(SELECT *), LAST(SELECT *), (SELECT *)]',
    'SELECT VALUE (LET x = c.a + 1 IN x * x) FROM c',
    'SELECT TOP 5 * FROM c ORDER BY RANK RRF(FullTextScore(c.t, "a"), VectorDistance(c.v, [1, 2])) DESC',
  ])('%s', (text) => {
    expect(printQuery(parseQuery(text), 'line')).toBe(text);
  });

  test('nodes know where they stand, parentheses included', () => {
    const text = 'SELECT VALUE (c.a + 1) * c.b FROM c';
    const { select } = parseQuery(text);
    const { expression } = select as Extract<QueryNode['select'], { kind: 'select-value' }>;
    expect(text.slice(expression.start, expression.end)).toBe('(c.a + 1) * c.b');
  });

  test('the tree is frozen', () => {
    const node = parseQuery('SELECT c.a FROM c WHERE c.b IN (1)');
    expect([node, node.select, node.from, node.where].every((part) => Object.isFrozen(part))).toBe(true);
    expect(Object.isFrozen((node.where as Extract<ExpressionNode, { kind: 'in' }>).items)).toBe(true);
  });
});

describe('a text that does not parse', () => {
  test.each([
    ['', 'the end of the query', 0],
    ['SELECT', 'the end of the query', 6],
    ['SELECT * FROM c WHERE', 'the end of the query', 21],
    ['SELECT c.value FROM c', "'value'", 9],
    ['SELECT c.a, FROM c', "'FROM'", 12],
    ['SELECT *, c.a FROM c', "','", 8],
    ['SELECT VALUE * FROM c', "'*'", 13],
    ['SELECT VALUE c.a AS x FROM c', "'AS'", 17],
    ['SELECT VALUE [1,] FROM c', "']'", 16],
    ['SELECT * FROM c WHERE c.a IN ()', "')'", 30],
    ['SELECT * FROM c WHERE c.a == 1', "'='", 27],
    ['SELECT * FROM c OFFSET 5', 'the end of the query', 24],
    ['SELECT * FROM c OFFSET 1.5 LIMIT 1', "'1.5'", 23],
    ['SELECT TOP -1 * FROM c', "'-'", 11],
    ['SELECT * FROM c LIMIT 1', "'LIMIT'", 16],
    ['SELECT * FROM f(c)', "'('", 15],
    ['SELECT * FROM c INNER JOIN d', "'INNER'", 16],
    ['SELECT * FROM c ORDER BY RANK 1', "'1'", 30],
    ['SELECT VALUE 5x', "'5x'", 13],
    ['SELECT VALUE "open', `'"open'`, 13],
    [String.raw`SELECT VALUE "\q"`, String.raw`'"\q"'`, 13],
    ['SELECT VALUE 1 /* open', "'/* open'", 15],
    ['SELECT VALUE c.a # 1', "'#'", 17],
    ['SELECT VALUE EXISTS(1)', "'1'", 20],
    ['DELETE FROM c', "'DELETE'", 0],
    ['SELECT * FROM c; SELECT 1', "';'", 15],
    ['SELECT * FROM c WHERE c.n BETWEEN 1 AND 2 AND c.m = 3', "'AND'", 42],
    ['SELECT * FROM c WHERE c.m = 3 AND c.n BETWEEN 1 AND 2', "'BETWEEN'", 38],
  ])('%s', (text, near, start) => {
    const error = failure(() => parseQuery(text));
    expect(error.code).toBe('QUERY_SYNTAX');
    expect(error.details['errors']).toMatchObject([
      { severity: 'Error', code: 'SC1001', location: { start }, message: `Syntax error, incorrect syntax near ${near}.` },
    ]);
  });

  test('says the line and the column, and what to write instead', () => {
    const error = failure(() => parseQuery('SELECT *\nFROM c\nWHERE c.order = 1'));
    expect(error.message).toBe(
      "Cannot run the query. Syntax error, incorrect syntax near 'order'. (SC1001, line 3, column 9) " +
        'A property whose name is a reserved word is written in brackets: c["value"].',
    );
  });
});

describe('limits', () => {
  test.each([
    ['parentheses', `SELECT VALUE ${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
    ['arrays', `SELECT VALUE ${'['.repeat(50_000)}`],
    ['objects', `SELECT VALUE ${'{a:'.repeat(50_000)}`],
    ['calls', `SELECT VALUE ${'ABS('.repeat(50_000)}`],
    ['subqueries', `${'SELECT * FROM ('.repeat(30_000)}`],
    ['NOT', `SELECT VALUE ${'NOT '.repeat(50_000)}true`],
    ['minus', `SELECT VALUE ${'- '.repeat(50_000)}1`],
    ['??', `SELECT VALUE ${'c.a ?? '.repeat(50_000)}1`],
    ['?:', `SELECT VALUE ${'true ? 1 : '.repeat(30_000)}1`],
    ['LET', `SELECT VALUE ${'(LET x = '.repeat(30_000)}1`],
    ['path steps', `SELECT VALUE c${'.a'.repeat(50_000)}`],
    ['source path steps', `SELECT * FROM c${'.a'.repeat(50_000)}`],
    ['JOINs', `SELECT * FROM c${' JOIN x IN c.x'.repeat(11)}`],
    ['bytes', `SELECT VALUE "${'é'.repeat(300_000)}"`],
  ])('too many %s are refused', (_, text) => {
    expect(failure(() => parseQuery(text)).code).toBe('QUERY_LIMIT');
  });

  test.each([
    ['AND', `SELECT * FROM c WHERE ${'c.a = 1 AND '.repeat(30_000)}true`],
    ['OR', `SELECT * FROM c WHERE ${'c.a = 1 OR '.repeat(30_000)}true`],
    ['+', `SELECT VALUE ${'1 + '.repeat(100_000)}1`],
    ['IN', `SELECT * FROM c WHERE c.a IN (${'1, '.repeat(100_000)}1)`],
    ['array', `SELECT VALUE [${'1, '.repeat(100_000)}1]`],
    ['columns', `SELECT ${'c.a, '.repeat(50_000)}c.b FROM c`],
    ['comments', `SELECT VALUE 1 ${'/* */ '.repeat(50_000)}`],
    ['escapes', `SELECT VALUE "${String.raw`\n`.repeat(200_000)}"`],
  ])('a long %s is no problem', (_, text) => {
    expect(() => parseQuery(text)).not.toThrow();
  });

  test.each(['/*', "'", '"\\', '@', '((', '?', '>>>', '0x', '.5.', '--'])('half a megabyte of %s is answered at once', (piece) => {
    expect(['QUERY_SYNTAX', 'QUERY_LIMIT']).toContain(
      failure(() => parseQuery(`SELECT VALUE ${piece.repeat(250_000 / piece.length)}`)).code,
    );
  });
});

describe('the condition of a patch', () => {
  test('is a query without SELECT', () => {
    expect(printQuery(parseCondition('from c where c.count > 3 and c.tags[0] = "a"'), 'line')).toBe(
      'SELECT * FROM c WHERE c.count > 3 AND c.tags[0] = "a"',
    );
  });

  test.each(['SELECT * FROM c WHERE true', 'WHERE c.a = 1', 'FROM c', 'FROM c WHERE true ORDER BY c.a', ''])('%s is none', (text) => {
    expect(failure(() => parseCondition(text)).code).toBe('QUERY_SYNTAX');
  });
});
