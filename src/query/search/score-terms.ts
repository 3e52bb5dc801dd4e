import type { JsonValue } from '../../core/json.ts';
import type { Analyzer } from '../functions/full-text/analyzer.ts';
import { readTerm, type SearchTerm } from '../functions/full-text/search-term.ts';
import { queryErrorEntry, queryInvalidError, queryLimitError, type QueryErrorEntry } from '../query-errors.ts';
import { QUERY_LIMITS } from '../query-limits.ts';
import type { CallNode, ExpressionNode, SourceRange } from '../syntax-nodes.ts';

const TERMS_MESSAGE =
  'The terms of the FullTextScore function must be strings, objects such as {"term": "text", "distance": 1}, or parameters with one of these.';

function termError(location: SourceRange): QueryErrorEntry {
  return queryErrorEntry('SC2241', location, TERMS_MESSAGE);
}

/** The expressions of the terms of FULLTEXTSCORE. One array of terms, which earlier versions of the service wanted, counts as those terms. */
export function scoreTermNodes(node: CallNode): readonly ExpressionNode[] {
  return node.arguments.slice(1).flatMap((argument) => (argument.kind === 'array' ? argument.items : [argument]));
}

function isTermNode(node: ExpressionNode): boolean {
  switch (node.kind) {
    case 'parameter':
      return true;
    case 'literal':
      return typeof node.value === 'string';
    case 'object':
      return node.members.every(({ value }) => value.kind === 'literal' || value.kind === 'number' || value.kind === 'parameter');
    default:
      return false;
  }
}

/** What the binder finds wrong with the terms of FULLTEXTSCORE (SC2241). */
export function scoreTermErrors(node: CallNode): readonly QueryErrorEntry[] {
  const terms = scoreTermNodes(node);
  return terms.length === 0 ? [termError(node)] : terms.filter((term) => !isTermNode(term)).map((term) => termError(term));
}

/** The value of a term node, which reads nothing but parameters. */
function valueOf(node: ExpressionNode, parameters: ReadonlyMap<string, JsonValue>): JsonValue | undefined {
  switch (node.kind) {
    case 'parameter':
      return parameters.get(node.name);
    case 'literal':
    case 'number':
      return node.value;
    case 'object':
      return Object.fromEntries(node.members.map(({ name, value }) => [name, valueOf(value, parameters)] as const));
    default:
      return undefined;
  }
}

/** Refuses a call of a full text function with more terms than are looked for. @throws QUERY_LIMIT */
export function checkTermCount(text: string, node: CallNode, count: number): void {
  const most = QUERY_LIMITS.searchTerms;
  if (count > most) {
    throw queryLimitError(text, node, `The ${node.name} function takes at most ${most} terms, and the query has ${count}.`);
  }
}

/** The terms of a call of FULLTEXTSCORE. @throws QUERY_INVALID (SC2241) for a parameter that holds no term; QUERY_LIMIT */
export function scoreTerms(
  node: CallNode,
  text: string,
  parameters: ReadonlyMap<string, JsonValue>,
  analyze: Analyzer,
): readonly SearchTerm[] {
  const read = (value: JsonValue | undefined, location: SourceRange): SearchTerm => {
    const term = readTerm(value, analyze);
    if (term === undefined) {
      throw queryInvalidError(text, [termError(location)]);
    }
    return term;
  };
  const terms = scoreTermNodes(node).flatMap((termNode) => {
    const value = valueOf(termNode, parameters);
    return Array.isArray(value) ? value.map((item: JsonValue) => read(item, termNode)) : [read(value, termNode)];
  });
  checkTermCount(text, node, terms.length);
  return terms;
}
