import fc from 'fast-check';
import type { CollectionNode, ExpressionNode, OrderByNode, QueryNode, SelectNode } from '../../../src/query/syntax-nodes.ts';

const AT = { start: 0, end: 0 };
const name: fc.Arbitrary<string> = fc.constantFrom('c', 'd', 'item', '_x1', 'rank', 'LET', 'First', 'all', 'count2');
const text: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom('a', 'Z', '"', "'", '\\', '/', '\n', '\t', '\u0000', '%', 'é', '😀', '\ud800'),
  maxLength: 6,
});
const numberText: fc.Arbitrary<string> = fc.constantFrom('0', '7', '1.5', '9007199254740993', '1e3', '2.5E-7', '0x1F', '.5', '3.');
const parameter = fc.constantFrom('@p', '@p1', '@_q').map((value) => ({ kind: 'parameter' as const, name: value, ...AT }));
const count = fc.oneof(
  fc.nat(1000).map((value) => ({ kind: 'number' as const, value, text: String(value), ...AT })),
  parameter,
);

const binaryOperator = fc.constantFrom(
  '+',
  '-',
  '*',
  '/',
  '%',
  '&',
  '|',
  '^',
  '<<',
  '>>',
  '>>>',
  '||',
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'AND',
  'OR',
);

const { query } = fc.letrec<{
  expression: ExpressionNode;
  collection: CollectionNode;
  select: SelectNode;
  orderBy: OrderByNode;
  query: QueryNode;
}>((tie) => {
  const e = tie('expression');
  const several = fc.array(e, { minLength: 1, maxLength: 3 });
  const named = <T>(build: (value: ExpressionNode, other: ExpressionNode, third: ExpressionNode) => T): fc.Arbitrary<T> =>
    fc.tuple(e, e, e).map(([a, b, c]) => build(a, b, c));
  const source = fc.oneof(
    fc
      .record({ root: name, path: fc.array(fc.oneof(text, fc.nat(9)), { maxLength: 2 }) })
      .map((input) => ({ kind: 'path-collection' as const, ...input, ...AT })),
    tie('query').map((node) => ({ kind: 'subquery-collection' as const, query: node, ...AT })),
  );
  const single = fc.oneof(
    fc
      .record({ input: source, alias: fc.option(name, { nil: undefined }) })
      .map((node) => ({ kind: 'aliased-collection' as const, ...node, ...AT })),
    fc.record({ input: source, alias: name }).map((node) => ({ kind: 'iterator-collection' as const, ...node, ...AT })),
  );
  return {
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(
        fc.oneof(fc.constantFrom(null, true, false), text).map((value) => ({ kind: 'literal' as const, value, ...AT })),
        numberText.map((value) => ({ kind: 'number' as const, value: Number(value), text: value, ...AT })),
        fc.constant({ kind: 'undefined' as const, ...AT }),
        parameter,
        name.map((value) => ({ kind: 'identifier' as const, name: value, ...AT })),
      ),
      fc.tuple(e, name).map(([target, value]) => ({ kind: 'member' as const, target, name: value, ...AT })),
      named((target, index) => ({ kind: 'index' as const, target, index, ...AT })),
      fc
        .tuple(fc.constantFrom('-', '+', '~', 'NOT'), e)
        .map(([operator, operand]) => ({ kind: 'unary' as const, operator, operand, ...AT })),
      fc.tuple(binaryOperator, e, e).map(([operator, left, right]) => ({ kind: 'binary' as const, operator, left, right, ...AT })),
      fc
        .tuple(fc.boolean(), e, e, e)
        .map(([negated, operand, low, high]) => ({ kind: 'between' as const, negated, operand, low, high, ...AT })),
      fc.tuple(fc.boolean(), e, several).map(([negated, operand, items]) => ({ kind: 'in' as const, negated, operand, items, ...AT })),
      fc
        .tuple(fc.boolean(), e, e, fc.constantFrom(undefined, '!', '\\'))
        .map(([negated, operand, pattern, escape]) => ({ kind: 'like' as const, negated, operand, pattern, escape, ...AT })),
      named((condition, whenTrue, otherwise) => ({ kind: 'conditional' as const, condition, whenTrue, otherwise, ...AT })),
      named((left, right) => ({ kind: 'coalesce' as const, left, right, ...AT })),
      fc
        .tuple(fc.constantFrom('LOWER', 'left', 'Right', 'first', 'ALL'), fc.boolean(), fc.array(e, { maxLength: 2 }))
        .map(([called, udf, items]) => ({ kind: 'call' as const, name: udf ? 'myFunction' : called, udf, arguments: items, ...AT })),
      fc.array(e, { maxLength: 3 }).map((items) => ({ kind: 'array' as const, items, ...AT })),
      fc.array(fc.record({ name: text, value: e }), { maxLength: 2 }).map((members) => ({ kind: 'object' as const, members, ...AT })),
      fc
        .tuple(fc.constantFrom('scalar', 'exists', 'array', 'all', 'first', 'last'), tie('query'))
        .map(([form, node]) => ({ kind: 'subquery' as const, form, query: node, ...AT })),
      fc.tuple(name, e, e).map(([variable, value, body]) => ({ kind: 'let' as const, name: variable, value, body, ...AT })),
    ),
    collection: fc
      .array(single, { minLength: 1, maxLength: 3 })
      .map((sources) =>
        sources.reduce<CollectionNode | undefined>(
          (left, right) => (left === undefined ? right : { kind: 'join', left, right, ...AT }),
          undefined,
        ),
      ) as fc.Arbitrary<CollectionNode>,
    select: fc.oneof(
      fc.constant({ kind: 'select-star' as const, ...AT }),
      e.map((node) => ({ kind: 'select-value' as const, expression: node, ...AT })),
      fc
        .array(fc.record({ expression: e, alias: fc.option(fc.oneof(name, text), { nil: undefined }) }), { minLength: 1, maxLength: 3 })
        .map((items) => ({
          kind: 'select-list' as const,
          items: items.map((item) => ({ kind: 'select-item' as const, ...item, ...AT })),
          ...AT,
        })),
    ),
    orderBy: fc
      .array(fc.record({ expression: e, direction: fc.constantFrom('', 'ASC', 'DESC') }), { minLength: 1, maxLength: 2 })
      .map((items) => ({
        kind: 'order-by' as const,
        rank: false,
        items: items.map((item) => ({
          kind: 'order-by-item' as const,
          expression: item.expression,
          descending: item.direction === 'DESC',
          explicitDirection: item.direction !== '',
          ...AT,
        })),
        ...AT,
      })),
    query: fc
      .record({
        distinct: fc.boolean(),
        top: fc.option(count, { nil: undefined }),
        select: tie('select'),
        from: fc.option(tie('collection'), { nil: undefined }),
        where: fc.option(e, { nil: undefined }),
        groupBy: fc.option(fc.array(e, { minLength: 1, maxLength: 2 }), { nil: undefined }),
        orderBy: fc.option(tie('orderBy'), { nil: undefined }),
        page: fc.option(fc.tuple(count, count), { nil: undefined }),
      })
      .map(({ page, ...rest }) => ({ kind: 'query' as const, ...rest, offset: page?.[0], limit: page?.[1], ...AT })),
  };
});

/** Any query that the grammar can write, positions all 0. Names need not resolve. */
export const arbitraryQuery: fc.Arbitrary<QueryNode> = query;

/** A copy without positions, so that trees from different texts compare. */
export function withoutPositions(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'start' || key === 'end' ? undefined : member)));
}
