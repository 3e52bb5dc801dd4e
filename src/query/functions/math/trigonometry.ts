import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required } from '../parameter.ts';
import { oneNumber } from './one-number.ts';

const DEGREES_PER_RADIAN = 180 / Math.PI;

/** Angles, in radians unless a name says otherwise. */
export const trigonometry: readonly FunctionEntry[] = [
  oneNumber('ACOS', Math.acos, { summary: 'The angle whose cosine is the number.', examples: [['ACOS(1)', 0]] }),
  oneNumber('ASIN', Math.asin, { summary: 'The angle whose sine is the number.', examples: [['ASIN(1)', Math.PI / 2]] }),
  oneNumber('ATAN', Math.atan, { summary: 'The angle whose tangent is the number.', examples: [['ATAN(1)', Math.PI / 4]] }),
  defineFunction({
    name: 'ATN2',
    family: 'math',
    parameters: [required('y', 'number'), required('x', 'number')],
    result: 'number',
    summary: 'The angle of the point (x, y), from -π to π.',
    examples: [
      ['ATN2(1, -1)', (3 * Math.PI) / 4],
      ['ATN2(0, -1)', Math.PI],
    ],
    compute: (y, x) => Math.atan2(y, x),
  }),
  oneNumber('COS', Math.cos, { summary: 'The cosine of an angle.', examples: [['COS(0)', 1]] }),
  oneNumber('COT', (angle) => 1 / Math.tan(angle), { summary: 'The cotangent of an angle.', examples: [['ROUND(COT(PI() / 4))', 1]] }),
  oneNumber('DEGREES', (angle) => angle * DEGREES_PER_RADIAN, {
    summary: 'An angle in degrees, from radians.',
    examples: [['DEGREES(PI())', 180]],
    sqlite: 'exact',
  }),
  defineFunction({
    name: 'PI',
    family: 'math',
    parameters: [],
    result: 'number',
    summary: 'The number π.',
    examples: [['PI()', Math.PI]],
    compute: () => Math.PI,
  }),
  oneNumber('RADIANS', (degrees) => degrees / DEGREES_PER_RADIAN, {
    summary: 'An angle in radians, from degrees.',
    examples: [['RADIANS(180)', Math.PI]],
    sqlite: 'exact',
  }),
  oneNumber('SIN', Math.sin, { summary: 'The sine of an angle.', examples: [['SIN(PI() / 2)', 1]] }),
  oneNumber('TAN', Math.tan, { summary: 'The tangent of an angle.', examples: [['TAN(0)', 0]] }),
];
