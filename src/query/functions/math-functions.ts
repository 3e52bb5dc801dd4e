import { contextual, scalar, type Argument, type FunctionEntry, type IndexUse, type ScalarFunction } from './function-entry.ts';

function ofNumber(compute: (value: number) => Argument): ScalarFunction {
  return (value) => (typeof value === 'number' ? compute(value) : undefined);
}

function ofNumbers(compute: (left: number, right: number) => Argument): ScalarFunction {
  return (left, right) => (typeof left === 'number' && typeof right === 'number' ? compute(left, right) : undefined);
}

/** Rounds to the nearest integer, halves away from zero. */
function roundHalfAway(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function unary(name: string, compute: (value: number) => Argument, indexUse: IndexUse = 'none'): FunctionEntry {
  return scalar('math', name, [1, 1], ofNumber(compute), { indexUse });
}

const DEGREES_PER_RADIAN = 180 / Math.PI;

/**
 * The mathematical functions over IEEE doubles.
 *
 * They give NaN or an infinity where the arithmetic does; a query whose result holds one fails, one that only compares with it does not.
 */
export const mathFunctions: readonly FunctionEntry[] = [
  unary('ABS', Math.abs, 'precise'),
  unary('ACOS', Math.acos),
  unary('ASIN', Math.asin),
  unary('ATAN', Math.atan),
  scalar('math', 'ATN2', [2, 2], ofNumbers(Math.atan2)),
  unary('CEILING', Math.ceil, 'precise'),
  unary('COS', Math.cos),
  unary('COT', (value) => 1 / Math.tan(value)),
  unary('DEGREES', (value) => value * DEGREES_PER_RADIAN),
  unary('EXP', Math.exp),
  unary('FLOOR', Math.floor, 'precise'),
  scalar('math', 'LOG', [1, 2], (value, base = Math.E) =>
    typeof value === 'number' && typeof base === 'number'
      ? base === Math.E
        ? Math.log(value)
        : Math.log(value) / Math.log(base)
      : undefined,
  ),
  unary('LOG10', Math.log10),
  scalar(
    'math',
    'NUMBERBIN',
    [1, 2],
    (value, size = 1) =>
      typeof value === 'number' && typeof size === 'number' && size !== 0 ? Math.floor(value / size) * size : undefined,
    { indexUse: 'scan' },
  ),
  scalar('math', 'PI', [0, 0], () => Math.PI),
  scalar('math', 'POWER', [2, 2], ofNumbers(Math.pow)),
  unary('RADIANS', (value) => value / DEGREES_PER_RADIAN),
  contextual('math', 'RAND', [0, 0], (context) => () => context.random(), { deterministic: false }),
  unary('ROUND', roundHalfAway, 'precise'),
  unary('SIGN', Math.sign),
  unary('SIN', Math.sin),
  unary('SQRT', Math.sqrt),
  unary('SQUARE', (value) => value * value),
  unary('TAN', Math.tan),
  unary('TRUNC', Math.trunc, 'precise'),
];
