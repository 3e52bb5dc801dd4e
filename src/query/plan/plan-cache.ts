import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import type { SearchPolicy } from '../search/search-policy.ts';
import type { CallNode, ExpressionNode, QueryParameter } from '../syntax-nodes.ts';
import { operandsOf } from '../walk.ts';
import type { QueryPlan } from './query-info.ts';

/** Plans of one query that are kept: more than a program asks for, unless it gives ever new counts. */
const MAX_PLANS = 16;
/** Values longer than that as JSON are no keys: such plans are made anew. */
const MAX_KEY_CHARACTERS = 1024;

function parametersIn(node: ExpressionNode, names: Set<string>): void {
  if (node.kind === 'parameter') {
    names.add(node.name);
  }
  for (const operand of operandsOf(node)) {
    parametersIn(operand, names);
  }
}

/** The arguments of a search that a plan reads: the options of VECTORDISTANCE, not its vectors, and the terms of FULLTEXTSCORE. */
function argumentsRead(node: CallNode): readonly ExpressionNode[] {
  return node.name.toUpperCase() === 'VECTORDISTANCE' ? node.arguments.slice(3) : node.arguments.slice(1);
}

function readNames({ top, offset, limit, orderBy, rank }: BoundQuery): ReadonlySet<string> {
  const names = new Set<string>();
  for (const count of [top, offset, limit]) {
    if (count?.kind === 'parameter') {
      names.add(count.name);
    }
  }
  const searches = rank?.scores ?? orderBy.flatMap(({ expression }) => (expression.kind === 'call' ? [expression] : []));
  for (const argument of searches.flatMap(argumentsRead)) {
    parametersIn(argument, names);
  }
  return names;
}

/** Plans of one query, by the policy of the container where it matters, and by the values of the parameters that the plan reads. */
interface KnownPlans {
  readonly names: ReadonlySet<string>;
  readonly isSearch: boolean;
  readonly byPolicy: WeakMap<SearchPolicy, Map<string, QueryPlan>>;
  readonly plain: Map<string, QueryPlan>;
}

const known = new WeakMap<PreparedQuery, KnownPlans>();

function knownPlans(prepared: PreparedQuery): KnownPlans {
  let plans = known.get(prepared);
  if (plans === undefined) {
    const { root } = prepared;
    const isSearch = root.rank !== undefined || root.orderBy.some(({ expression }) => expression.kind === 'call');
    plans = { names: readNames(root), isSearch, byPolicy: new WeakMap(), plain: new Map() };
    known.set(prepared, plans);
  }
  return plans;
}

function plansOf({ isSearch, byPolicy, plain }: KnownPlans, policy: SearchPolicy): Map<string, QueryPlan> {
  if (!isSearch) {
    return plain;
  }
  const plans = byPolicy.get(policy) ?? new Map<string, QueryPlan>();
  byPolicy.set(policy, plans);
  return plans;
}

/** The plan of a query for these values and this `form`, made once. What making it throws is thrown and not kept. */
export function cachedPlan(
  prepared: PreparedQuery,
  form: string,
  parameters: readonly QueryParameter[],
  policy: SearchPolicy,
  create: () => QueryPlan,
): QueryPlan {
  const all = knownPlans(prepared);
  const read = all.names.size === 0 ? [] : parameters.filter(({ name }) => all.names.has(name)).map(({ name, value }) => [name, value]);
  const key = read.length === 0 ? form : `${form}${JSON.stringify(read)}`;
  const plans = plansOf(all, policy);
  const found = plans.get(key);
  if (found !== undefined) {
    return found;
  }
  const plan = create();
  if (key.length <= MAX_KEY_CHARACTERS) {
    if (plans.size >= MAX_PLANS) {
      plans.clear();
    }
    plans.set(key, plan);
  }
  return plan;
}
