import { ARRAY_STEP } from '../index-policy/policy-path.ts';
import type { BoundQuery, PreparedQuery } from '../prepared-query.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import { pathOf } from '../walk.ts';

type Path = readonly string[];

/** Where each variable of a query comes from in a document: `t` of `JOIN t IN c.tags` is `/tags/[]`. */
export function sourcePaths(prepared: PreparedQuery): ReadonlyMap<number, Path> {
  const paths = new Map<number, Path>();
  const enter = (query: BoundQuery): void => {
    for (const { slot, input, iterate } of query.sources) {
      if (input.kind === 'subquery') {
        continue;
      }
      const base = input.kind === 'container' ? [] : paths.get(input.slot);
      if (base !== undefined) {
        const steps = input.path.map((step) => (typeof step === 'number' ? ARRAY_STEP : step));
        paths.set(slot, [...base, ...steps, ...(iterate ? [ARRAY_STEP] : [])]);
      }
    }
  };
  // Queries are listed behind those inside them.
  for (const query of [...prepared.queries.values()].toReversed()) {
    enter(query);
  }
  return paths;
}

/** The path of a document that an expression is, through the sources of the query; undefined for any other. */
export function documentPathOf(node: ExpressionNode, prepared: PreparedQuery, sources: ReadonlyMap<number, Path>): Path | undefined {
  const path = pathOf(node);
  const binding = path === undefined ? undefined : prepared.identifiers.get(path.root);
  const base = binding?.kind === 'variable' ? sources.get(binding.slot) : undefined;
  if (path === undefined || base === undefined) {
    return undefined;
  }
  const steps = [...base, ...path.steps.map((step) => (typeof step === 'number' ? ARRAY_STEP : step))];
  return steps.length === 0 ? undefined : steps;
}

/** Functions that an index serves when a path of the document is their first argument. */
const SERVED: ReadonlySet<string> = new Set([
  'ARRAY_CONTAINS',
  'CONTAINS',
  'ENDSWITH',
  'IS_ARRAY',
  'IS_BOOL',
  'IS_DEFINED',
  'IS_NULL',
  'IS_NUMBER',
  'IS_OBJECT',
  'IS_PRIMITIVE',
  'IS_STRING',
  'REGEXMATCH',
  'STARTSWITH',
  'STRINGEQUALS',
]);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);

/** Which operands of a condition an index can look up. */
function lookedUp(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case 'binary':
      // Two values of one document are compared in no index.
      return COMPARISONS.has(node.operator) && (pathOf(node.left) === undefined || pathOf(node.right) === undefined)
        ? [node.left, node.right]
        : [];
    case 'in':
    case 'between':
    case 'like':
      return [node.operand];
    case 'call':
      return !node.udf && SERVED.has(node.name.toUpperCase()) ? node.arguments.slice(0, 2) : [];
    default:
      return [];
  }
}

/** `ARRAY_CONTAINS(c.tags, …)` looks up what is in the array. */
function isInsideArray(node: CallNode, argument: ExpressionNode): boolean {
  return node.name.toUpperCase() === 'ARRAY_CONTAINS' && node.arguments[0] === argument;
}

/** The paths of documents that a condition looks up, itself and not what it is made of. */
export function lookedUpPaths(node: ExpressionNode, prepared: PreparedQuery, sources: ReadonlyMap<number, Path>): readonly Path[] {
  return lookedUp(node).flatMap((operand) => {
    const path = documentPathOf(operand, prepared, sources);
    return path === undefined ? [] : [node.kind === 'call' && isInsideArray(node, operand) ? [...path, ARRAY_STEP] : path];
  });
}

/** The paths of documents that the filters of a query look up, in the order of the text, each once for each place. */
export function filteredPaths(prepared: PreparedQuery): readonly Path[] {
  const sources = sourcePaths(prepared);
  const found: Path[] = [];
  const visit = (condition: ExpressionNode): void => {
    // Chains are long, and nest to the left.
    const rights: ExpressionNode[] = [];
    let node = condition;
    while (node.kind === 'binary' && (node.operator === 'AND' || node.operator === 'OR')) {
      rights.push(node.right);
      node = node.left;
    }
    look(node);
    rights.toReversed().forEach(visit);
  };
  const look = (node: ExpressionNode): void => {
    found.push(...lookedUpPaths(node, prepared, sources));
    if (node.kind === 'unary' && node.operator === 'NOT') {
      visit(node.operand);
    }
    const path = documentPathOf(node, prepared, sources);
    if (path !== undefined) {
      found.push(path);
    }
  };
  for (const { where } of prepared.queries.values()) {
    if (where !== undefined) {
      visit(where);
    }
  }
  return found;
}

/** Those of some expressions that are paths of documents. */
export function orderedPaths(prepared: PreparedQuery, expressions: readonly ExpressionNode[]): readonly Path[] {
  const sources = sourcePaths(prepared);
  return expressions.map((node) => documentPathOf(node, prepared, sources)).filter((path) => path !== undefined);
}
