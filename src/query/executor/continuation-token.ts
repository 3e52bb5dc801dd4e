import { PerigeeError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';
import type { QueryParameter } from '../syntax-nodes.ts';

/*
 * A token is the base64url form of the JSON array [version, check, position]. The check covers the position and the query, text and
 * parameters, so that neither a damaged token nor one of another query is taken. The position is one of the arrays below.
 */

const VERSION = 1;

/** Where a run that follows the order of the documents goes on. */
export interface StreamPosition {
  readonly kind: 'stream';
  readonly ordinal: number;
  /** How many rows of that document were taken; -1 when it is finished. */
  readonly rows: number;
  /** Rows that OFFSET still leaves out. */
  readonly skip: number;
  /** Rows returned so far. */
  readonly taken: number;
}

/** A run that starts again and leaves out what it returned before. */
export interface CountPosition {
  readonly kind: 'count';
  readonly taken: number;
}

/** A run in the order of ORDER BY: it goes on behind this row. */
export interface OrderPosition {
  readonly kind: 'order';
  readonly keys: readonly (JsonValue | undefined)[];
  readonly ordinal: number;
  /** Which row of that document it was. */
  readonly row: number;
  readonly taken: number;
}

export type QueryPosition = StreamPosition | CountPosition | OrderPosition;

/** Keys that are longer as JSON text make a token too long for a header; such a run counts instead. */
const MAX_KEY_CHARACTERS = 600;

/** JSON has no infinite numbers: such a key is its sign over zero. */
function encodeKey(key: JsonValue | undefined): readonly JsonValue[] {
  return key === undefined ? [] : key === Number.POSITIVE_INFINITY ? [1, 0] : key === Number.NEGATIVE_INFINITY ? [-1, 0] : [key];
}

function encodeKeys(keys: readonly (JsonValue | undefined)[]): readonly JsonValue[] {
  return keys.map((key) => [...encodeKey(key)]);
}

/** Whether an array or object holds a number that JSON has no text for. */
function holdsInfinite(key: JsonValue | undefined): boolean {
  let found = false;
  if (typeof key === 'object') {
    JSON.stringify(key, (_name, value: unknown) => {
      found ||= typeof value === 'number' && !Number.isFinite(value);
      return value;
    });
  }
  return found;
}

/** Whether a token can hold these sort keys. */
export function keysFitToken(keys: readonly (JsonValue | undefined)[]): boolean {
  if (keys.some(holdsInfinite)) {
    return false;
  }
  return new TextEncoder().encode(JSON.stringify(encodeKeys(keys))).length <= MAX_KEY_CHARACTERS;
}

/** What identifies a query: its text and its parameters in any order. */
export function queryIdentity(text: string, parameters: readonly QueryParameter[]): string {
  const given = parameters.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value] as const);
  return `${text}\n${canonicalJson(Object.fromEntries(given))}`;
}

/** A 53-bit hash (cyrb53): enough to tell queries apart, no protection against forgery, which nothing here needs. */
function hashText(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}

function toArray(position: QueryPosition): readonly JsonValue[] {
  switch (position.kind) {
    case 'stream':
      return ['s', position.ordinal, position.rows, position.skip, position.taken];
    case 'count':
      return ['n', position.taken];
    case 'order':
      return ['o', position.ordinal, position.row, position.taken, encodeKeys(position.keys)];
    default:
      return position satisfies never;
  }
}

function decodeKey(value: JsonValue): JsonValue | undefined {
  if (!Array.isArray(value) || value.length > 2) {
    throw new TypeError('A key is an array of at most one value, or a sign over zero.');
  }
  if (value.length === 2) {
    return value[0] === 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }
  return value[0] as JsonValue | undefined;
}

function wholeNumber(value: unknown): number {
  if (!Number.isSafeInteger(value)) {
    throw new TypeError('A position is a whole number.');
  }
  return value as number;
}

function fromArray([kind, ...rest]: readonly JsonValue[]): QueryPosition {
  const at = (index: number): number => wholeNumber(rest[index]);
  switch (kind) {
    case 's':
      return { kind: 'stream', ordinal: at(0), rows: at(1), skip: at(2), taken: at(3) };
    case 'n':
      return { kind: 'count', taken: at(0) };
    case 'o':
      return { kind: 'order', ordinal: at(0), row: at(1), taken: at(2), keys: (rest[3] as readonly JsonValue[]).map(decodeKey) };
    default:
      throw new TypeError('A position has a kind.');
  }
}

function toBase64Url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(token: string): string {
  const binary = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** The token that continues the query at a position. */
export function encodePosition(identity: string, position: QueryPosition): string {
  const array = toArray(position);
  return toBase64Url(JSON.stringify([VERSION, hashText(JSON.stringify(array) + identity), array]));
}

function refused(cause?: unknown): PerigeeError {
  return new PerigeeError(
    'INVALID_CONTINUATION',
    'Cannot continue the query: the continuation token is damaged, or was issued for another query or other parameters. Start again without it.',
    { cause },
  );
}

function parseToken(token: string): unknown {
  try {
    return JSON.parse(fromBase64Url(token));
  } catch (error) {
    throw refused(error);
  }
}

/** The position that a token of this query holds. @throws INVALID_CONTINUATION */
export function decodePosition(identity: string, token: string): QueryPosition {
  const parts = parseToken(token);
  if (!Array.isArray(parts) || parts.length !== 3 || parts[0] !== VERSION || !Array.isArray(parts[2])) {
    throw refused();
  }
  const array = parts[2] as readonly JsonValue[];
  if (parts[1] !== hashText(JSON.stringify(array) + identity)) {
    throw refused();
  }
  try {
    return fromArray(array);
  } catch (error) {
    throw refused(error);
  }
}

/** The error for a token whose position does not fit the way the query runs. */
export function wrongPosition(): PerigeeError {
  return refused();
}
