import { compareStrings, compareValues, typeRank } from '../../core/json-order.ts';
import type { JsonValue } from '../../core/json.ts';
import type { TokenReader, TokenWriter } from './token-bytes.ts';

/** Bytes that the sort keys of a token take at most. */
const MAX_BYTES = 540;
const BYTES_PER_UNIT = 3;
/** Of the type of a key, and of the length of a text. */
const OVERHEAD = 3;
const NUMBER_BYTES = 9;

/** Where keys were cut: a text has this beginning, a value this type, or anything may come. */
export type KeyCut = { readonly prefix: string } | 'array' | 'object' | 'rest';

/**
 * Sort keys as a token holds them: as many as fit. `cut` says what it still tells of the first one that does not; then several rows may have the
 * same edge, and all that have it stand side by side in the order.
 */
export interface KeyEdge {
  readonly keys: readonly (JsonValue | undefined)[];
  readonly cut: KeyCut | undefined;
}

/** The bytes of a key, and how much of a longer one fits into as many as are left. */
function fits(key: JsonValue | undefined, left: number): number | KeyCut {
  switch (typeof key) {
    case 'number':
      return left >= NUMBER_BYTES ? NUMBER_BYTES : 'rest';
    case 'string': {
      const units = Math.floor((left - OVERHEAD) / BYTES_PER_UNIT);
      // By units, whatever they take: so texts with the beginning that is left are all cut at the same place.
      return units < 1 ? 'rest' : key.length < units ? OVERHEAD + key.length * BYTES_PER_UNIT : { prefix: key.slice(0, units) };
    }
    case 'object':
      return key === null ? (left >= 1 ? 1 : 'rest') : left < 1 ? 'rest' : Array.isArray(key) ? 'array' : 'object';
    default:
      return left >= 1 ? 1 : 'rest';
  }
}

/** The edge of some keys. */
export function edgeOf(keys: readonly (JsonValue | undefined)[]): KeyEdge {
  let left = MAX_BYTES;
  for (const [index, key] of keys.entries()) {
    const needed = fits(key, left);
    if (typeof needed !== 'number') {
      return { keys: keys.slice(0, index), cut: needed };
    }
    left -= needed;
  }
  return { keys, cut: undefined };
}

function compareWithCut(key: JsonValue | undefined, cut: KeyCut): number {
  if (cut === 'rest') {
    return 0;
  }
  if (typeof cut === 'string') {
    return typeRank(key) - typeRank(cut === 'array' ? [] : {});
  }
  const isAmong = typeof key === 'string' && key.startsWith(cut.prefix);
  return isAmong ? 0 : typeof key === 'string' ? compareStrings(key, cut.prefix) : compareValues(key, cut.prefix);
}

/** How keys compare with an edge in an order with these directions; 0 for all that have it. */
export function compareWithEdge(keys: readonly (JsonValue | undefined)[], edge: KeyEdge, directions: readonly (1 | -1)[]): number {
  for (const [index, key] of edge.keys.entries()) {
    const order = compareValues(keys[index], key);
    if (order !== 0) {
      return order * (directions[index] as number);
    }
  }
  const at = edge.keys.length;
  return edge.cut === undefined ? 0 : compareWithCut(keys[at], edge.cut) * (directions[at] as number);
}

/** Whether two edges are one. */
export function isSameEdge(one: KeyEdge, other: KeyEdge): boolean {
  return (
    one.keys.length === other.keys.length &&
    one.keys.every((key, index) => compareValues(key, other.keys[index]) === 0) &&
    JSON.stringify(one.cut) === JSON.stringify(other.cut)
  );
}

const TAGS = ['undefined', 'null', 'false', 'true', 'number', 'text', 'prefix', 'array', 'object', 'rest'] as const;
type Tag = (typeof TAGS)[number];

function tagOf(key: JsonValue | undefined): Tag {
  switch (typeof key) {
    case 'undefined':
      return 'undefined';
    case 'boolean':
      return key ? 'true' : 'false';
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    default:
      return 'null';
  }
}

/** Writes an edge; nothing may follow it. */
export function writeEdge(writer: TokenWriter, { keys, cut }: KeyEdge): void {
  writer.count(keys.length + (cut === undefined ? 0 : 1));
  for (const key of keys) {
    writer.byte(TAGS.indexOf(tagOf(key)));
    if (typeof key === 'number') {
      writer.double(key);
    } else if (typeof key === 'string') {
      writer.text(key);
    }
  }
  if (cut !== undefined) {
    writer.byte(TAGS.indexOf(typeof cut === 'string' ? cut : 'prefix'));
    if (typeof cut !== 'string') {
      writer.text(cut.prefix);
    }
  }
}

/** Reads an edge. @throws TypeError where there is none */
export function readEdge(reader: TokenReader): KeyEdge {
  const keys: (JsonValue | undefined)[] = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    const tag = TAGS[reader.byte()];
    switch (tag) {
      case 'undefined':
        keys.push(undefined);
        break;
      case 'null':
        keys.push(null);
        break;
      case 'false':
      case 'true':
        keys.push(tag === 'true');
        break;
      case 'number':
        keys.push(reader.double());
        break;
      case 'text':
        keys.push(reader.text());
        break;
      case 'prefix':
        return { keys, cut: { prefix: reader.text() } };
      case 'array':
      case 'object':
      case 'rest':
        return { keys, cut: tag };
      default:
        throw new TypeError('A key in a token has a type.');
    }
  }
  return { keys, cut: undefined };
}

/** Follows rows in their order, and counts those that have the edge of the last one where it was cut. */
export class EdgeCounter {
  #edge: KeyEdge | undefined;
  #passed = 0;

  /** `edge` and `passed` of the position that the rows follow. */
  constructor(edge: KeyEdge | undefined, passed: number) {
    this.#edge = edge;
    this.#passed = passed;
  }

  pass(keys: readonly (JsonValue | undefined)[]): void {
    const edge = edgeOf(keys);
    const isSame = edge.cut !== undefined && this.#edge !== undefined && isSameEdge(edge, this.#edge);
    this.#passed = edge.cut === undefined ? 0 : isSame ? this.#passed + 1 : 1;
    this.#edge = edge;
  }

  /** How many rows up to the last one have its edge; 0 where its keys are whole. */
  get passed(): number {
    return this.#passed;
  }
}
