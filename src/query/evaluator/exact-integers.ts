import type { FunctionEntry } from '../functions/function-entry.ts';
import { lookupFunction } from '../functions/function-table.ts';
import { isInt64, toInt64 } from '../functions/integer/int64.ts';
import { KIND_READERS, type Parameter } from '../functions/parameter.ts';
import type { CallNode, ExpressionNode } from '../syntax-nodes.ts';
import type { CompileScope, Evaluate, Frame } from './compile-scope.ts';

type EvaluateInteger = (frame: Frame) => bigint | undefined;

const INTEGER = /^(?:\d+|0[xX][0-9a-fA-F]+)$/;

/** The integer that a literal stands for, where its double may be another one. */
function literalInteger(node: ExpressionNode): bigint | undefined {
  if (node.kind === 'number') {
    return Number.isSafeInteger(node.value) || !INTEGER.test(node.text) ? undefined : BigInt(node.text);
  }
  if (node.kind !== 'unary' || (node.operator !== '-' && node.operator !== '+')) {
    return undefined;
  }
  const operand = literalInteger(node.operand);
  return operand === undefined || node.operator === '+' ? operand : -operand;
}

function integerCall(node: ExpressionNode): FunctionEntry | undefined {
  const entry = node.kind === 'call' && !node.udf ? lookupFunction(node.name.toUpperCase()) : undefined;
  return entry?.result === 'int64' ? entry : undefined;
}

function isExact(node: ExpressionNode): boolean {
  return literalInteger(node) !== undefined || integerCall(node) !== undefined;
}

/**
 * Whether a call may differ from one over doubles, because an argument is an integer literal that no double holds, or a call that gives a
 * 64-bit integer.
 */
export function takesExactIntegers(node: CallNode): boolean {
  const entry = node.udf ? undefined : lookupFunction(node.name.toUpperCase());
  return (entry?.exact !== undefined || entry?.ofExactInteger !== undefined) && node.arguments.some(isExact);
}

function kindOf(parameters: readonly Parameter[], index: number): Parameter['kind'] {
  return parameters[Math.min(index, parameters.length - 1)]?.kind ?? 'any';
}

function compileInteger(node: ExpressionNode, scope: CompileScope): EvaluateInteger | undefined {
  const literal = literalInteger(node);
  if (literal !== undefined) {
    return () => literal;
  }
  const entry = integerCall(node);
  if (entry?.exact === undefined || node.kind !== 'call') {
    return undefined;
  }
  const call = compileTyped(entry.exact, entry, node, scope);
  return (frame) => {
    const value = call(frame);
    return typeof value === 'bigint' ? value : undefined;
  };
}

/** An argument in the form of its kind; undefined where it is of another kind. */
function compileArgument(node: ExpressionNode, kind: Parameter['kind'], scope: CompileScope): (frame: Frame) => unknown {
  const integer = kind === 'int64' ? compileInteger(node, scope) : undefined;
  if (integer !== undefined) {
    return (frame) => {
      const value = integer(frame);
      return value !== undefined && isInt64(value) ? value : undefined;
    };
  }
  const value = scope.tools.expression(node, scope);
  const read = kind === 'int64' ? toInt64 : KIND_READERS[kind];
  return (frame) => read(value(frame));
}

function compileTyped(
  exact: NonNullable<FunctionEntry['exact']>,
  entry: FunctionEntry,
  node: CallNode,
  scope: CompileScope,
): (frame: Frame) => ReturnType<typeof exact> {
  const values = node.arguments.map((argument, index) => compileArgument(argument, kindOf(entry.parameters, index), scope));
  return (frame) => {
    const given: unknown[] = [];
    for (const value of values) {
      const argument = value(frame);
      if (argument === undefined) {
        return undefined;
      }
      given.push(argument);
    }
    return exact(...given);
  };
}

/**
 * Compiles a call that takes exact integers ({@link takesExactIntegers}): these stay exact from literals through all calls that give and take
 * 64-bit integers, and become a double where the value leaves them.
 */
export function compileExactCall(node: CallNode, entry: FunctionEntry, scope: CompileScope): Evaluate | undefined {
  const { exact, ofExactInteger } = entry;
  if (exact !== undefined) {
    const call = compileTyped(exact, entry, node, scope);
    return (frame) => {
      const value = call(frame);
      return typeof value === 'bigint' ? Number(value) : value;
    };
  }
  const [argument] = node.arguments;
  const integer = argument === undefined ? undefined : compileInteger(argument, scope);
  if (ofExactInteger === undefined || integer === undefined) {
    return undefined;
  }
  const ofUndefined = entry.undefinedArguments === 'pass' ? entry.evaluate?.(undefined) : undefined;
  return (frame) => {
    const value = integer(frame);
    return value === undefined ? ofUndefined : ofExactInteger(value);
  };
}
