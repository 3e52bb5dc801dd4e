import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { operandsOf } from '../walk.ts';

/** One piece of advice on how a query is written, in the form of the service: the id of a rule, and what its sentence has to be filled with. */
export interface QueryAdviceEntry {
  readonly Id: string;
  readonly Params: readonly string[];
}

function isTrueLiteral(node: ExpressionNode | undefined): boolean {
  return node?.kind === 'literal' && node.value === true;
}

/** The rule that a call in a filter meets, by the name of the function. */
const CALL_RULES: Readonly<Record<string, (call: CallNode) => string | undefined>> = {
  ARRAY_CONTAINS: (call) => (isTrueLiteral(call.arguments[2]) ? 'QA1000' : undefined),
  CONTAINS: () => 'QA1002',
  STARTSWITH: (call) => (isTrueLiteral(call.arguments[2]) ? 'QA1003' : undefined),
  STRINGEQUALS: (call) => (isTrueLiteral(call.arguments[2]) ? 'QA1003' : undefined),
  ENDSWITH: () => 'QA1004',
  UPPER: () => 'QA1006',
  LOWER: () => 'QA1006',
  GETCURRENTDATETIME: () => 'QA1007',
  GETCURRENTTICKS: () => 'QA1008',
  GETCURRENTTIMESTAMP: () => 'QA1009',
};

function addRules(node: ExpressionNode, found: Set<string>): void {
  if (node.kind === 'call' && !node.udf) {
    const name = node.name.toUpperCase();
    const rule = Object.hasOwn(CALL_RULES, name) ? CALL_RULES[name]?.(node) : undefined;
    if (rule !== undefined) {
      found.add(rule);
    }
  }
  for (const operand of operandsOf(node)) {
    addRules(operand, found);
  }
}

/**
 * What the query advisor of Cosmos DB says of the filters of a query, subqueries included: each rule once, by its id. The rules are those of
 * the directory that its SDKs carry (azure-cosmos-dotnet-v3, `QueryAdviceRuleDocumentation.xml`); QA1001 and QA1005 are not in force there.
 *
 * - QA1000: ARRAY_CONTAINS that matches parts of objects; EXISTS with a subquery is better.
 * - QA1002: CONTAINS; STARTSWITH is better where a prefix is meant.
 * - QA1003: STARTSWITH or StringEquals that ignore case; a computed property in lower case is better.
 * - QA1004: ENDSWITH; a computed property with the text reversed is better.
 * - QA1006: UPPER or LOWER; a computed property is better.
 * - QA1007, QA1008, QA1009: GetCurrentDateTime, GetCurrentTicks, GetCurrentTimestamp; their `Static` forms are better.
 */
export function queryAdvice({ queries }: Pick<PreparedQuery, 'queries'>): readonly QueryAdviceEntry[] {
  const found = new Set<string>();
  for (const { where } of queries.values()) {
    if (where !== undefined) {
      addRules(where, found);
    }
  }
  return [...found].toSorted().map((Id) => ({ Id, Params: [] }));
}
