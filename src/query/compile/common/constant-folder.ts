import { setOwn, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { takesExactIntegers } from '../../evaluator/exact-integers.ts';
import { operations } from '../../evaluator/operators.ts';
import { lookupFunction } from '../../functions/function-table.ts';
import type { BinaryNode, CallNode, ExpressionNode, ObjectConstructorNode } from '../../syntax-nodes.ts';
import type { CompileContext } from './compile-context.ts';
import type { Constant } from './sql-value.ts';

/** Constants in deeper or longer expressions are rare, and left to the evaluator. */
const MAX_DEPTH = 16;

type Source = Pick<CompileContext, 'prepared' | 'parameters'>;

function known(value: JsonValue | undefined): Constant {
  return { value };
}

function foldAll(nodes: readonly ExpressionNode[], source: Source, depth: number): readonly (JsonValue | undefined)[] | undefined {
  const values: (JsonValue | undefined)[] = [];
  for (const node of nodes) {
    const constant = fold(node, source, depth);
    if (constant === undefined) {
      return undefined;
    }
    values.push(constant.value);
  }
  return values;
}

function foldBinary(node: BinaryNode, source: Source, depth: number): Constant | undefined {
  const { operator } = node;
  if (operator === 'AND' || operator === 'OR') {
    return undefined;
  }
  const values = foldAll([node.left, node.right], source, depth);
  return values === undefined ? undefined : known(operations[operator](values[0], values[1]));
}

/** A call whose result follows from constants; what may be long or random is not folded. */
function foldCall(node: CallNode, source: Source, depth: number): Constant | undefined {
  const entry = node.udf || source.prepared.aggregateCalls.has(node) ? undefined : lookupFunction(node.name.toUpperCase());
  if (entry?.evaluate === undefined || !entry.deterministic || takesExactIntegers(node)) {
    return undefined;
  }
  const values = foldAll(node.arguments, source, depth);
  if (values === undefined) {
    return undefined;
  }
  return known(entry.undefinedArguments === 'propagate' && values.includes(undefined) ? undefined : entry.evaluate(...values));
}

function foldObject(node: ObjectConstructorNode, source: Source, depth: number): Constant | undefined {
  const values = foldAll(
    node.members.map((member) => member.value),
    source,
    depth,
  );
  if (values === undefined) {
    return undefined;
  }
  const object = {};
  for (const [index, { name }] of node.members.entries()) {
    if (values[index] !== undefined) {
      setOwn(object, name, values[index]);
    }
  }
  return known(object as JsonObject);
}

function fold(node: ExpressionNode, source: Source, depth: number): Constant | undefined {
  if (depth === 0) {
    return undefined;
  }
  switch (node.kind) {
    case 'literal':
    case 'number':
      return known(node.value);
    case 'undefined':
      return known(undefined);
    case 'parameter':
      return known(source.parameters.get(node.name));
    case 'identifier': {
      const binding = source.prepared.identifiers.get(node);
      return binding?.kind === 'constant' ? known(binding.value) : undefined;
    }
    case 'unary': {
      const operand = node.operator === 'NOT' ? undefined : fold(node.operand, source, depth - 1);
      if (operand === undefined) {
        return undefined;
      }
      const { value } = operand;
      return known(typeof value !== 'number' ? undefined : node.operator === '-' ? -value : node.operator === '~' ? ~value : value);
    }
    case 'binary':
      return foldBinary(node, source, depth - 1);
    case 'call':
      return foldCall(node, source, depth - 1);
    case 'array': {
      const values = foldAll(node.items, source, depth - 1);
      return values === undefined ? undefined : known(values.filter((value) => value !== undefined));
    }
    case 'object':
      return foldObject(node, source, depth - 1);
    default:
      return undefined;
  }
}

/** The value of an expression that no row decides, by the evaluator's own operators and functions; undefined for any other expression. */
export function constantOf(node: ExpressionNode, source: Source): Constant | undefined {
  return fold(node, source, MAX_DEPTH);
}
