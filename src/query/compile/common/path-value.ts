import { SYSTEM_PROPERTY_NAMES } from '../../../store/document.ts';
import type { IndexNode, ExpressionNode, MemberNode } from '../../syntax-nodes.ts';
import { leave, type CompileContext, type SqlBinding } from './compile-context.ts';
import { constantOf } from './constant-folder.ts';
import { valueOfConstant, type SqlValue } from './sql-value.ts';

/** Beyond it an index is undefined anyhow: no document is that long. */
const MAX_INDEX = 2 ** 22;

/** Whether a number can be an element's place; any other index gives undefined. */
function isPlace(index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index <= MAX_INDEX;
}

const UNDEFINED_STEP = Symbol('a step that leads nowhere');

/** A path from a variable. */
export interface ResolvedPath {
  readonly binding: SqlBinding;
  readonly steps: readonly (string | number)[];
}

function stepOf(node: MemberNode | IndexNode, context: CompileContext): string | number | typeof UNDEFINED_STEP | undefined {
  if (node.kind === 'member') {
    return node.name;
  }
  const constant = constantOf(node.index, context);
  if (constant === undefined) {
    return undefined;
  }
  const { value } = constant;
  return typeof value === 'string' || (typeof value === 'number' && isPlace(value)) ? value : UNDEFINED_STEP;
}

/** Takes a path apart; `'nowhere'` for one that is undefined in every document, undefined for any other expression. */
export function resolvePath(node: ExpressionNode, context: CompileContext): ResolvedPath | 'nowhere' | undefined {
  const steps: (string | number)[] = [];
  let rest = node;
  let isNowhere = false;
  while (rest.kind === 'member' || rest.kind === 'index') {
    const step = stepOf(rest, context);
    if (step === undefined) {
      return undefined;
    }
    if (step === UNDEFINED_STEP) {
      isNowhere = true;
    } else {
      steps.push(step);
    }
    rest = rest.target;
  }
  const variable = rest.kind === 'identifier' ? context.prepared.identifiers.get(rest) : undefined;
  const binding = variable?.kind === 'variable' ? context.bindings.get(variable.slot) : undefined;
  if (binding === undefined) {
    return undefined;
  }
  return isNowhere ? 'nowhere' : { binding, steps: steps.toReversed() };
}

/** Whether a property of a document is added when it is read, and is not in the stored text. */
export function isSystemProperty(name: string | number | undefined): boolean {
  return (SYSTEM_PROPERTY_NAMES as readonly unknown[]).includes(name);
}

/** The value at a path; undefined, with the reason noted, where SQL cannot reach it. */
export function pathValue(path: ResolvedPath | 'nowhere', context: CompileContext): SqlValue | undefined {
  if (path === 'nowhere') {
    return valueOfConstant(undefined, {});
  }
  const { binding, steps } = path;
  const [first] = steps;
  // What a LET names may be read from the document as well.
  if (context.loops > 0 && (binding.json === undefined || binding.json.text === context.dialect.document().json?.text)) {
    context.loopReads += 1;
  }
  if (binding.isDocument && typeof first === 'string') {
    if (context.computedProperties.has(first)) {
      return leave(context, 'a computed property is read');
    }
    const column = steps.length === 1 ? context.dialect.column(first, context) : undefined;
    if (column !== undefined) {
      return column;
    }
    if (isSystemProperty(first)) {
      return leave(context, 'a system property is read');
    }
  }
  if (steps.length === 0 && binding.value !== undefined) {
    return binding.value;
  }
  if (binding.json === undefined) {
    return leave(context, 'a path starts at a computed value');
  }
  return (
    context.dialect.at(binding.json, [...binding.steps, ...steps]) ??
    leave(context, `a property has a name that a path of ${context.dialect.name} cannot quote`)
  );
}
