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

const SHAPES = [required('first', 'object'), required('second', 'object')] as const;

/** Functions that are known by name only. */
export const notThereYet: readonly FunctionEntry[] = [
  later('spatial', 'ST_AREA', [required('shape', 'object')]),
  later('spatial', 'ST_DISTANCE', SHAPES, 'expanded'),
  later('spatial', 'ST_INTERSECTS', SHAPES, 'expanded'),
  later('spatial', 'ST_ISVALID', [required('shape', 'object')]),
  later('spatial', 'ST_ISVALIDDETAILED', [required('shape', 'object')]),
  later('spatial', 'ST_WITHIN', SHAPES, 'expanded'),
  later('string', 'HASH', [required('value', 'any'), optional('modulus', 'integer')]),
  later('string', 'REGEXEXTRACT', [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string')]),
  later('string', 'REGEXEXTRACTALL', [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string')]),
  later('string', 'REGEXMATCH', [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string')], 'scan'),
];
