import { required, type Parameter } from '../parameter.ts';

/** The parameters of a function of two 64-bit integers. */
export const TWO_INTEGERS: readonly [Parameter<'int64', 'required'>, Parameter<'int64', 'required'>] = [
  required('first', 'int64'),
  required('second', 'int64'),
];
