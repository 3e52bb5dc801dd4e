import { lookupFunction } from '../../functions/function-table.ts';
import type { CallNode } from '../../syntax-nodes.ts';
import { leave, type CompileContext } from './compile-context.ts';
import { choice, TYPES, valueOfConstant, type SqlValue } from './sql-value.ts';

const UNDEFINED = valueOfConstant(undefined, {});

function compileIif(node: CallNode, context: CompileContext): SqlValue | undefined {
  const [conditionNode, trueNode, otherwiseNode] = node.arguments as [CallNode, CallNode, CallNode];
  const holds = context.condition(conditionNode, true);
  const condition = holds.exact ? context.value(conditionNode) : undefined;
  const whenTrue = condition === undefined ? undefined : context.value(trueNode);
  const otherwise = whenTrue === undefined ? undefined : context.value(otherwiseNode);
  return condition === undefined || whenTrue === undefined || otherwise === undefined
    ? undefined
    : choice(holds.sql, whenTrue, choice(condition.is(TYPES.defined), otherwise, UNDEFINED));
}

/** Compiles a call of a function that gives a number or a string; undefined where SQL has no equal. */
export function compileCallValue(node: CallNode, context: CompileContext): SqlValue | undefined {
  if (node.udf) {
    return leave(context, 'a user-defined function is called');
  }
  const name = lookupFunction(node.name.toUpperCase())?.name ?? node.name;
  if (name === 'IIF') {
    return compileIif(node, context);
  }
  const compile = context.dialect.functions.get(name);
  if (compile === undefined) {
    return leave(context, `the function ${name} runs in the evaluator`);
  }
  const values: SqlValue[] = [];
  for (const argument of node.arguments) {
    const value = context.value(argument);
    if (value === undefined) {
      return undefined;
    }
    if (value.types === TYPES.undefined) {
      return UNDEFINED;
    }
    values.push(value);
  }
  return compile(...values) ?? leave(context, `the function ${name} has arguments that SQL cannot take`);
}
