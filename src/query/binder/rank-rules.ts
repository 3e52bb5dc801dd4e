import type { RankClause } from '../prepared-query.ts';
import { scoreTermErrors } from '../search/score-terms.ts';
import type { CallNode, ExpressionNode, OrderByNode, QueryNode } from '../syntax-nodes.ts';
import { sourcesOf } from '../walk.ts';
import type { BindState } from './bind-state.ts';
import { checkCall } from './call-rules.ts';

const SCORES: ReadonlySet<string> = new Set(['VECTORDISTANCE', 'FULLTEXTSCORE']);
const WRONG_FUNCTION = 'The ORDER BY RANK clause must be followed by a VectorDistance and/or a FullTextScore function call.';
const WRONG_WEIGHTS =
  'The last parameter of the RRF function is an optional array of weights. When present, it must be a literal array of numbers, one for each of the component scores used for the RRF function.';

function isScore(node: ExpressionNode): node is CallNode {
  return node.kind === 'call' && !node.udf && SCORES.has(node.name.toUpperCase());
}

function isFusion(node: ExpressionNode): node is CallNode {
  return node.kind === 'call' && !node.udf && node.name.toUpperCase() === 'RRF';
}

function weightOf(node: ExpressionNode): number | undefined {
  if (node.kind === 'number') {
    return node.value;
  }
  return node.kind === 'unary' && node.operator === '-' && node.operand.kind === 'number' ? -node.operand.value : undefined;
}

/** The weights, if the last argument has them; `undefined` without, `wrong` where they do not fit. */
function weightsOf(last: ExpressionNode | undefined, scores: number): readonly number[] | 'wrong' | undefined {
  if (last?.kind !== 'array') {
    return undefined;
  }
  const weights = last.items.map(weightOf);
  return weights.length === scores && weights.every((weight) => weight !== undefined) ? Object.freeze(weights as number[]) : 'wrong';
}

function bindFusion(state: BindState, node: CallNode, clause: OrderByNode): RankClause | undefined {
  const last = node.arguments.at(-1);
  const hasWeights = last?.kind === 'array';
  const scores = hasWeights ? node.arguments.slice(0, -1) : node.arguments;
  const nested = scores.find(isFusion);
  if (nested !== undefined) {
    const location = { start: nested.start, end: nested.start + nested.name.length };
    state.error('SC2005', location, `'${nested.name}' is not a recognized built-in function name.`);
    return undefined;
  }
  if (scores.length < 2 || !scores.every(isScore)) {
    state.error('SC2221', clause, WRONG_FUNCTION);
    return undefined;
  }
  const weights = weightsOf(last, scores.length);
  if (weights === 'wrong') {
    state.error('SC2229', clause, WRONG_WEIGHTS);
    return undefined;
  }
  return { scores, weights, fused: true };
}

/** What the service refuses beside ORDER BY RANK. */
function checkOtherClauses(state: BindState, node: QueryNode, clause: OrderByNode): void {
  if (node.from?.kind === 'join') {
    state.error('SC2224', node.from, 'The JOIN operator is not allowed with the ORDER BY RANK clause.');
  }
  for (const source of sourcesOf(node.from)) {
    if (source.kind === 'iterator-collection') {
      state.error('SC2223', source, 'The FROM clause with the IN operator is not allowed with the ORDER BY RANK clause.');
    }
    if (source.input.kind === 'subquery-collection') {
      state.error('SC2225', source, 'Subqueries in the FROM clause are not allowed with the ORDER BY RANK clause.');
    }
  }
  if (node.from === undefined) {
    state.error(undefined, clause, 'The ORDER BY RANK clause needs a FROM clause.');
  }
  if (node.distinct) {
    state.error(undefined, clause, 'The DISTINCT keyword is not allowed with the ORDER BY RANK clause.');
  }
  if (node.groupBy !== undefined) {
    state.error(undefined, clause, 'The GROUP BY clause is not allowed with the ORDER BY RANK clause.');
  }
}

/**
 * Checks the ORDER BY RANK clause of a query and finds its scores; their arguments are bound by `bind`. The answer is `undefined` after an
 * error.
 */
export function bindRank(
  state: BindState,
  node: QueryNode,
  clause: OrderByNode,
  bind: (node: ExpressionNode) => void,
): RankClause | undefined {
  checkOtherClauses(state, node, clause);
  const [item, ...others] = clause.items;
  if (item === undefined || others.length > 0) {
    state.error('SC2221', others[0] ?? clause, `${WRONG_FUNCTION} Several scores are fused with RRF.`);
    return undefined;
  }
  if (item.explicitDirection) {
    state.error(undefined, item, 'The ORDER BY RANK clause takes no ASC or DESC: what fits best comes first.');
  }
  const { expression } = item;
  let rank: RankClause | undefined;
  if (isFusion(expression)) {
    rank = bindFusion(state, expression, clause);
  } else if (isScore(expression)) {
    rank = { scores: [expression], weights: undefined, fused: false };
  } else {
    state.error('SC2221', clause, WRONG_FUNCTION);
  }
  for (const score of rank?.scores ?? []) {
    const signature = checkCall(state, score, true);
    if (signature?.name === 'FULLTEXTSCORE') {
      state.errors.push(...scoreTermErrors(score));
    }
    score.arguments.forEach(bind);
  }
  return rank === undefined ? undefined : Object.freeze(rank);
}
