import { setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { ExpressionNode, IdentifierNode, LetNode, UnaryNode } from '../syntax-nodes.ts';
import { compileCall } from './call-compiler.ts';
import { constantOf, groupSlotOf, type CompileScope, type Evaluate } from './compile-scope.ts';
import { compileBinary } from './logic-compiler.ts';
import { compileBetween, compileIn, compileLike } from './membership-compiler.ts';
import { not } from './operators.ts';
import { compilePath } from './path-compiler.ts';
import { namedBytes } from './subquery-bounds.ts';

function compileIdentifier(node: IdentifierNode, scope: CompileScope): Evaluate {
  const binding = scope.prepared.identifiers.get(node);
  if (binding?.kind !== 'variable') {
    throw new TypeError(`The identifier ${node.name} is not bound.`);
  }
  const { slot } = binding;
  return (frame) => frame[slot];
}

function compileUnary(node: UnaryNode, scope: CompileScope): Evaluate {
  const operand = scope.tools.expression(node.operand, scope);
  const ofNumber = (compute: (value: number) => number): Evaluate => {
    return (frame) => {
      const value = operand(frame);
      return typeof value === 'number' ? compute(value) : undefined;
    };
  };
  switch (node.operator) {
    case 'NOT':
      return (frame) => not(operand(frame));
    case '-':
      return ofNumber((value) => -value);
    case '+':
      return ofNumber((value) => value);
    default:
      return ofNumber((value) => ~value);
  }
}

function compileLet(node: LetNode, scope: CompileScope): Evaluate {
  const slot = scope.prepared.letSlots.get(node);
  if (slot === undefined) {
    throw new TypeError(`The name ${node.name} of LET is not bound.`);
  }
  const value = scope.tools.expression(node.value, scope);
  const body = scope.tools.expression(node.body, scope);
  return (frame) => {
    const named = value(frame);
    if (named !== undefined) {
      namedBytes(named, node.value);
    }
    frame[slot] = named;
    return body(frame);
  };
}

function compileArray(items: readonly Evaluate[]): Evaluate {
  return (frame) => {
    const values: JsonValue[] = [];
    for (const item of items) {
      const value = item(frame);
      if (value !== undefined) {
        values.push(value);
      }
    }
    return values;
  };
}

/** Builds objects of these members, leaving undefined ones out. Of two with one name the last wins. */
export function compileObject(members: readonly { readonly name: string; readonly value: Evaluate }[]): Evaluate {
  return (frame) => {
    const object = {};
    for (const member of members) {
      const value = member.value(frame);
      if (value !== undefined) {
        setOwn(object, member.name, value);
      }
    }
    return object as JsonObject;
  };
}

/** Compiles an expression once into a function over rows. */
export function compileExpression(node: ExpressionNode, scope: CompileScope): Evaluate {
  const slot = groupSlotOf(node, scope);
  if (slot !== undefined) {
    return (frame) => frame[slot];
  }
  const constant = constantOf(node, scope);
  if (constant !== undefined) {
    const { value } = constant;
    return () => value;
  }
  const compile = (inner: ExpressionNode): Evaluate => scope.tools.expression(inner, scope);
  switch (node.kind) {
    case 'identifier':
      return compileIdentifier(node, scope);
    case 'member':
    case 'index':
      return compilePath(node, scope);
    case 'unary':
      return compileUnary(node, scope);
    case 'binary':
      return compileBinary(node, scope);
    case 'between':
      return compileBetween(node, scope);
    case 'in':
      return compileIn(node, scope);
    case 'like':
      return compileLike(node, scope);
    case 'conditional': {
      const condition = scope.tools.test(node.condition, scope);
      const whenTrue = compile(node.whenTrue);
      const otherwise = compile(node.otherwise);
      return (frame) => (condition(frame) ? whenTrue(frame) : otherwise(frame));
    }
    case 'coalesce': {
      const left = compile(node.left);
      const right = compile(node.right);
      return (frame) => {
        const value = left(frame);
        return value === undefined ? right(frame) : value;
      };
    }
    case 'call':
      return compileCall(node, scope);
    case 'array':
      return compileArray(node.items.map(compile));
    case 'object':
      return compileObject(node.members.map(({ name, value }) => ({ name, value: compile(value) })));
    case 'subquery':
      return scope.tools.subquery(node, scope);
    case 'let':
      return compileLet(node, scope);
    default:
      throw new TypeError(`Cannot compile a node of kind ${node.kind}.`);
  }
}
