import { defineFunction } from './define-function.ts';
import type { FunctionEntry, FunctionFamily, IndexUse } from './function-entry.ts';
import { optional, required, type Parameter } from './parameter.ts';

/** A known function that is not there yet: the binder refuses it by name. */
function later(
  family: FunctionFamily,
  name: string,
  parameters: readonly Parameter[],
  indexUse: IndexUse = 'none',
  aliases: readonly string[] = [],
): FunctionEntry {
  return defineFunction({ name, family, parameters, result: 'any', summary: '', examples: [], indexUse, aliases });
}

/** Functions that are known by name only. */
export const notThereYet: readonly FunctionEntry[] = [
  later('string', 'HASH', [required('value', 'any'), optional('modulus', 'integer')]),
];
