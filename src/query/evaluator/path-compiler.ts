import { getOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { ExpressionNode, IndexNode, MemberNode } from '../syntax-nodes.ts';
import { groupSlotOf, type CompileScope, type Evaluate } from './compile-scope.ts';

type Value = JsonValue | undefined;

function isObject(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a member by a name known in advance: an own property, or undefined. */
export function memberReader(name: string): (target: Value) => Value {
  // A plain read is several times faster than a look-up of own properties, and the same where no object inherits the name.
  return name in Object.prototype
    ? (target) => (isObject(target) ? getOwn(target, name) : undefined)
    : (target) => (isObject(target) ? target[name] : undefined);
}

/** Reads an element; undefined outside the array, and for an index below zero or with a fraction. */
export function elementReader(index: number): (target: Value) => Value {
  return (target) => (Array.isArray(target) ? (target[index] as Value) : undefined);
}

/** Reads a step of a path: a name of an object, or an index of an array. */
export function stepReader(step: string | number): (target: Value) => Value {
  return typeof step === 'string' ? memberReader(step) : elementReader(step);
}

function readDynamic(target: Value, step: Value): Value {
  if (typeof step === 'string') {
    return isObject(target) ? getOwn(target, step) : undefined;
  }
  return typeof step === 'number' && Array.isArray(target) ? (target[step] as Value) : undefined;
}

function compileStep(node: MemberNode | IndexNode, target: Evaluate, scope: CompileScope): Evaluate {
  if (node.kind === 'index' && node.index.kind !== 'literal' && node.index.kind !== 'number') {
    const index = scope.tools.expression(node.index, scope);
    return (frame) => readDynamic(target(frame), index(frame));
  }
  const step = node.kind === 'member' ? node.name : (node.index as { readonly value: unknown }).value;
  if (typeof step !== 'string' && typeof step !== 'number') {
    return () => undefined;
  }
  const read = stepReader(step);
  return (frame) => read(target(frame));
}

function nameOf(node: MemberNode | IndexNode): string | undefined {
  if (node.kind === 'member') {
    return node.name;
  }
  return node.index.kind === 'literal' && typeof node.index.value === 'string' ? node.index.value : undefined;
}

function slotOf(node: ExpressionNode, scope: CompileScope): number | undefined {
  const binding = node.kind === 'identifier' ? scope.prepared.identifiers.get(node) : undefined;
  return binding?.kind === 'variable' ? binding.slot : undefined;
}

/** `alias.name` right behind a FROM alias: the most frequent expression, and the only place where computed properties are seen. */
function compileFirstStep(slot: number, name: string, scope: CompileScope): Evaluate {
  const computed = scope.rootSlots.has(slot) ? scope.environment.computedProperties.get(name) : undefined;
  if (computed !== undefined) {
    return (frame) => computed(frame[slot] as JsonObject);
  }
  if (name in Object.prototype) {
    const read = memberReader(name);
    return (frame) => read(frame[slot]);
  }
  // As `memberReader` has it, without a call of its own: every document is read this way.
  return (frame) => {
    const target = frame[slot];
    return isObject(target) ? target[name] : undefined;
  };
}

/** Compiles a chain of `.name` and `[…]`. */
export function compilePath(node: MemberNode | IndexNode, scope: CompileScope): Evaluate {
  const steps: (MemberNode | IndexNode)[] = [];
  let base: ExpressionNode = node;
  while ((base.kind === 'member' || base.kind === 'index') && groupSlotOf(base, scope) === undefined) {
    steps.push(base);
    base = base.target;
  }
  const first = steps.at(-1) as MemberNode | IndexNode;
  const slot = slotOf(base, scope);
  const name = nameOf(first);
  let read: Evaluate;
  if (slot !== undefined && name !== undefined && groupSlotOf(base, scope) === undefined) {
    steps.pop();
    read = compileFirstStep(slot, name, scope);
  } else {
    read = scope.tools.expression(base, scope);
  }
  return steps.reduceRight((target, step) => compileStep(step, target, scope), read);
}
