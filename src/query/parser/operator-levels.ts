/** How tightly an expression binds; a larger number binds tighter. Shared by the parser and the printer. */
export const LEVEL: Readonly<
  Record<
    | 'conditional'
    | 'coalesce'
    | 'between'
    | 'or'
    | 'and'
    | 'in'
    | 'comparison'
    | 'concatenation'
    | 'additive'
    | 'multiplicative'
    | 'unary'
    | 'postfix',
    number
  >
> = {
  conditional: 1,
  coalesce: 2,
  between: 3,
  or: 4,
  and: 5,
  in: 6,
  comparison: 7,
  concatenation: 8,
  additive: 9,
  multiplicative: 10,
  unary: 11,
  postfix: 12,
};

/** Levels of the symbols that stand between two operands. The bit operators share the level of `+`, the shifts that of comparison. */
export const BINARY_LEVELS: ReadonlyMap<string, number> = new Map([
  ...['*', '/', '%'].map((symbol) => [symbol, LEVEL.multiplicative] as const),
  ...['+', '-', '&', '^', '|'].map((symbol) => [symbol, LEVEL.additive] as const),
  ['||', LEVEL.concatenation] as const,
  ...['=', '!=', '<>', '<', '<=', '>', '>=', '<<', '>>', '>>>'].map((symbol) => [symbol, LEVEL.comparison] as const),
]);
