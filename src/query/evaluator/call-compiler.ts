import { PerigeeError } from '../../core/errors.ts';
import type { FunctionEntry, ScalarFunction } from '../functions/function-entry.ts';
import { lookupFunction } from '../functions/function-table.ts';
import type { CallNode } from '../syntax-nodes.ts';
import type { CompileScope, Evaluate } from './compile-scope.ts';
import { SEARCH_CALLS } from './search-calls.ts';
import { SPATIAL_CALLS } from './spatial-calls.ts';
import { prepareList } from './list-calls.ts';
import { compileExactCall, takesExactIntegers } from './exact-integers.ts';

/** Passes every argument on, undefined ones too. */
function compilePassing(call: ScalarFunction, values: readonly Evaluate[]): Evaluate {
  const [first, second, third] = values;
  if (values.length === 1 && first !== undefined) {
    return (frame) => call(first(frame));
  }
  if (values.length === 3 && first !== undefined && second !== undefined && third !== undefined) {
    return (frame) => call(first(frame), second(frame), third(frame));
  }
  return (frame) => call(...values.map((value) => value(frame)));
}

/** Is undefined, without a call, as soon as one argument is. */
function compilePropagating(call: ScalarFunction, values: readonly Evaluate[]): Evaluate {
  const [first, second] = values;
  if (values.length === 1 && first !== undefined) {
    return (frame) => {
      const value = first(frame);
      return value === undefined ? undefined : call(value);
    };
  }
  if (values.length === 2 && first !== undefined && second !== undefined) {
    return (frame) => {
      const left = first(frame);
      const right = left === undefined ? undefined : second(frame);
      return right === undefined ? undefined : call(left, right);
    };
  }
  return (frame) => {
    const given = values.map((value) => value(frame));
    return given.includes(undefined) ? undefined : call(...given);
  };
}

/** DOCUMENTID(alias): the ordinal of the document that the alias stands for; undefined for anything but a whole document. */
function compileDocumentId(node: CallNode, scope: CompileScope): Evaluate {
  const argument = node.arguments[0];
  const binding = argument?.kind === 'identifier' ? scope.prepared.identifiers.get(argument) : undefined;
  const { ordinalSlot, rootSlots } = scope;
  return binding?.kind === 'variable' && rootSlots.has(binding.slot) ? (frame) => frame[ordinalSlot] : () => undefined;
}

function compileUdf(node: CallNode, values: readonly Evaluate[], scope: CompileScope): Evaluate {
  const call = scope.environment.udfs.get(node.name);
  if (call === undefined) {
    throw new PerigeeError('QUERY_INVALID', `Cannot run the query: the container has no user-defined function '${node.name}'.`, {
      details: { udf: node.name },
    });
  }
  return compilePassing(call, values);
}

function unknown(name: string): PerigeeError {
  return new PerigeeError('QUERY_NOT_SUPPORTED', `Cannot run the query: the function ${name} is not supported.`, { details: { name } });
}

function bodyOf(entry: FunctionEntry, scope: CompileScope): ScalarFunction {
  const body = entry.evaluate ?? entry.bind?.(scope.environment.context);
  if (body === undefined) {
    throw unknown(entry.name);
  }
  return body;
}

/** Refuses what a parameter asks of a function; what stands in the text was refused when the query was prepared. */
function refuseParameters(node: CallNode, entry: FunctionEntry, scope: CompileScope): void {
  if (entry.refuses === undefined) {
    return;
  }
  const constants = node.arguments.map((argument) => {
    const name = argument.kind === 'parameter' ? argument.name : undefined;
    return name === undefined ? (argument.kind === 'literal' ? argument.value : undefined) : scope.environment.parameters.get(name);
  });
  const feature = entry.refuses(constants);
  if (feature !== undefined) {
    throw new PerigeeError('QUERY_NOT_SUPPORTED', `Cannot run the query: ${entry.name} was given ${feature}, which is not supported.`, {
      details: { name: entry.name, feature },
    });
  }
}

/** Compiles a function call; one of an aggregate reads the slot where the group's result is. */
export function compileCall(node: CallNode, scope: CompileScope): Evaluate {
  const aggregate = scope.prepared.aggregateCalls.get(node);
  const slot = aggregate === undefined ? undefined : scope.aggregateSlots.get(aggregate);
  if (slot !== undefined) {
    return (frame) => frame[slot];
  }
  const values = node.arguments.map((argument) => scope.tools.expression(argument, scope));
  if (node.udf) {
    return compileUdf(node, values, scope);
  }
  const entry = lookupFunction(node.name.toUpperCase());
  if (entry === undefined) {
    throw unknown(node.name);
  }
  if (entry.name === 'DOCUMENTID') {
    return compileDocumentId(node, scope);
  }
  const compileWhole = SEARCH_CALLS.get(entry.name) ?? SPATIAL_CALLS.get(entry.name);
  if (compileWhole !== undefined) {
    return compileWhole(node, values, scope);
  }
  const exact = takesExactIntegers(node) ? compileExactCall(node, entry, scope) : undefined;
  if (exact !== undefined) {
    return exact;
  }
  refuseParameters(node, entry, scope);
  const plain = { values, body: bodyOf(entry, scope) };
  const { values: given, body } = prepareList(entry.name, node, values, plain.body) ?? plain;
  return entry.undefinedArguments === 'pass' || given.length === 0 ? compilePassing(body, given) : compilePropagating(body, given);
}
