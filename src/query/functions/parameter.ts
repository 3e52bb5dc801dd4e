import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { datePart, type DatePart } from './date/date-parts.ts';
import { parseDateTime } from './date/date-time.ts';
import { toInt64 } from './integer/int64.ts';

/** What a function wants of an argument, and the form in which its body receives it. */
export interface KindValues {
  /** Any value, as it is. */
  readonly any: JsonValue;
  readonly string: string;
  readonly number: number;
  /** A whole number, as a double. */
  readonly integer: number;
  /** A whole number of 64 bits. */
  readonly int64: bigint;
  readonly boolean: boolean;
  readonly array: readonly JsonValue[];
  readonly object: JsonObject;
  /** A text that names a moment; the body receives units of 100 ns since 1970. */
  readonly date: bigint;
  /** A text that names a unit of time: `day`, `dd`, `d`. */
  readonly 'date part': DatePart;
}

/** The name of a kind. */
export type ParameterKind = keyof KindValues;

/** `optional` ones stand after the required ones; a `rest` one is the last and takes any number of arguments, none included. */
export type Presence = 'required' | 'optional' | 'rest';

/** One parameter of a built-in function. */
export interface Parameter<K extends ParameterKind = ParameterKind, P extends Presence = Presence> {
  readonly name: string;
  readonly kind: K;
  readonly presence: P;
  /**
   * A value of another kind makes the call undefined; with `decides`, the function has its own answer for one (three-valued logic, a
   * default). Then it has a raw `evaluate`.
   */
  readonly wrongKind: 'undefined' | 'decides';
}

/** A parameter that each call has. */
export function required<K extends ParameterKind>(
  name: string,
  kind: K,
  wrongKind: Parameter['wrongKind'] = 'undefined',
): Parameter<K, 'required'> {
  return { name, kind, presence: 'required', wrongKind };
}

/** A parameter that a call may leave out. */
export function optional<K extends ParameterKind>(
  name: string,
  kind: K,
  wrongKind: Parameter['wrongKind'] = 'undefined',
): Parameter<K, 'optional'> {
  return { name, kind, presence: 'optional', wrongKind };
}

/** Any number of further arguments, none included. */
export function rest<K extends ParameterKind>(
  name: string,
  kind: K,
  wrongKind: Parameter['wrongKind'] = 'undefined',
): Parameter<K, 'rest'> {
  return { name, kind, presence: 'rest', wrongKind };
}

/** The arguments that a body receives for its parameters. */
export type ValuesOf<P extends readonly Parameter[]> = P extends readonly [
  Parameter<infer K, infer R>,
  ...infer Others extends readonly Parameter[],
]
  ? R extends 'rest'
    ? KindValues[K][]
    : R extends 'optional'
      ? [value?: KindValues[K] | undefined, ...others: ValuesOf<Others>]
      : [value: KindValues[K], ...others: ValuesOf<Others>]
  : [];

/** The fewest and the most arguments of a call; `Infinity` where there is no upper bound. */
export function arityOf(parameters: readonly Parameter[]): readonly [fewest: number, most: number] {
  const fewest = parameters.filter(({ presence }) => presence === 'required').length;
  const open = parameters.some(({ presence }) => presence === 'rest');
  return [fewest, open ? Number.POSITIVE_INFINITY : parameters.length];
}

type Reader<K extends ParameterKind> = (value: JsonValue | undefined) => KindValues[K] | undefined;

/** Gives the value in the form of its kind, undefined for one of another kind. */
export const KIND_READERS: { readonly [K in ParameterKind]: Reader<K> } = {
  any: (value) => value,
  string: (value) => (typeof value === 'string' ? value : undefined),
  number: (value) => (typeof value === 'number' ? value : undefined),
  integer: (value) => (typeof value === 'number' && Number.isInteger(value) ? value : undefined),
  int64: toInt64,
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  array: (value) => (Array.isArray(value) ? (value as readonly JsonValue[]) : undefined),
  object: (value) => (isJsonObject(value) ? value : undefined),
  date: (value) => (typeof value === 'string' ? parseDateTime(value) : undefined),
  'date part': datePart,
};
