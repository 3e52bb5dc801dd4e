import type { FunctionSignature } from '../function-catalog.ts';
import { notSupportedEntry, queryLimitError } from '../query-errors.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import { checkTermCount, scoreTermNodes } from '../search/score-terms.ts';
import { vectorOptions } from '../search/vector-options.ts';
import type { CallNode, SourceRange } from '../syntax-nodes.ts';
import type { BindState } from './bind-state.ts';

function nameRange(node: CallNode): SourceRange {
  return { start: node.start, end: node.start + node.name.length };
}

function argumentsWanted({ minArguments, maxArguments }: FunctionSignature): string {
  if (minArguments === maxArguments) {
    return `${minArguments} argument(s)`;
  }
  return maxArguments === Number.POSITIVE_INFINITY
    ? `at least ${minArguments} argument(s)`
    : `${minArguments} to ${maxArguments} argument(s)`;
}

function checkUdf(state: BindState, node: CallNode): void {
  state.note(state.udfs, node.name, node.start);
  state.udfCalls += 1;
  if (state.udfCalls > QUERY_LIMITS.udfCalls) {
    const message = `The SQL query exceeded the maximum number of user-defined function calls. The allowed limit is ${QUERY_LIMITS.udfCalls}.`;
    throw queryLimitError(state.text, node, message, 'SC3005');
  }
}

/**
 * Checks that a function exists, is there, and has the right number of arguments. The answer is `undefined` for a user-defined function and
 * after an error.
 */
export function checkCall(state: BindState, node: CallNode, inRank: boolean): FunctionSignature | undefined {
  if (node.udf) {
    checkUdf(state, node);
    return undefined;
  }
  const signature = state.catalog.lookup(node.name.toUpperCase());
  // RRF is known to ORDER BY RANK only, which does not ask here.
  if (signature === undefined || signature.name === 'RRF') {
    state.error('SC2005', nameRange(node), `'${node.name}' is not a recognized built-in function name.`);
    return undefined;
  }
  if (signature.name === 'FULLTEXTSCORE' && !inRank) {
    state.error('SC2240', node, `The FullTextScore function is only allowed in the ORDER BY RANK clause.`);
    return undefined;
  }
  if (!signature.implemented) {
    state.errors.push(notSupportedEntry(nameRange(node), node.name));
    return undefined;
  }
  const count = node.arguments.length;
  if (count < signature.minArguments || count > signature.maxArguments) {
    state.error('SC2050', node, `The ${signature.name} function requires ${argumentsWanted(signature)}.`);
    return undefined;
  }
  if (signature.name.startsWith('FULLTEXT')) {
    checkTermCount(state.text, node, scoreTermNodes(node).length);
  }
  if (signature.name === 'VECTORDISTANCE') {
    state.errors.push(...vectorOptions(node, undefined).errors);
  }
  const refused = signature.refuses?.(node.arguments.map((argument) => (argument.kind === 'literal' ? argument.value : undefined)));
  if (refused !== undefined) {
    state.errors.push(notSupportedEntry(node, refused));
    return undefined;
  }
  return signature;
}
