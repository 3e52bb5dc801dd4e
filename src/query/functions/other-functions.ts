import { later, scalar, special, type Argument, type FunctionEntry } from './function-entry.ts';

const MANY = Number.POSITIVE_INFINITY;

/**
 * IIF follows the rule that arguments must be defined for its condition only, so that a missing property in the branch not taken does not
 * make the call undefined.
 */
function iif(condition: Argument, whenTrue: Argument, otherwise: Argument): Argument {
  return condition === undefined ? undefined : condition === true ? whenTrue : otherwise;
}

/** Conditional and item functions, and the families that are known by name only. */
export const otherFunctions: readonly FunctionEntry[] = [
  scalar('conditional', 'IIF', [3, 3], iif, { undefinedArguments: 'pass' }),
  special('item', 'DOCUMENTID', [1, 1]),
  later('full-text', 'FULLTEXTCONTAINS', [2, 2], { aliases: ['FULLTEXT_CONTAINS'], indexUse: 'seek' }),
  later('full-text', 'FULLTEXTCONTAINSALL', [2, MANY], { aliases: ['FULLTEXT_CONTAINS_ALL'], indexUse: 'seek' }),
  later('full-text', 'FULLTEXTCONTAINSANY', [2, MANY], { aliases: ['FULLTEXT_CONTAINS_ANY'], indexUse: 'seek' }),
  later('full-text', 'FULLTEXTSCORE', [2, MANY], { indexUse: 'seek' }),
  later('full-text', 'RRF', [2, MANY], { indexUse: 'seek' }),
  later('spatial', 'ST_AREA', [1, 1]),
  later('spatial', 'ST_DISTANCE', [2, 2], { indexUse: 'expanded' }),
  later('spatial', 'ST_INTERSECTS', [2, 2], { indexUse: 'expanded' }),
  later('spatial', 'ST_ISVALID', [1, 1]),
  later('spatial', 'ST_ISVALIDDETAILED', [1, 1]),
  later('spatial', 'ST_WITHIN', [2, 2], { indexUse: 'expanded' }),
  later('vector', 'VECTORDISTANCE', [2, 4], { indexUse: 'seek' }),
  later('string', 'HASH', [1, 2]),
  later('string', 'LASTSUBSTRINGAFTER', [2, 2]),
  later('string', 'LASTSUBSTRINGBEFORE', [2, 2]),
  later('string', 'REGEXEXTRACT', [2, 3]),
  later('string', 'REGEXEXTRACTALL', [2, 3]),
  later('string', 'SUBSTRINGAFTER', [2, 2]),
  later('string', 'SUBSTRINGBEFORE', [2, 2]),
];
