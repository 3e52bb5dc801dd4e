import type { PartitionKeyDefinition } from './container-definition.ts';
import type { PartitionKey, PartitionKeyComponent } from './partition-key.ts';
import type { EpkRange } from './queries.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));

const PREFIX_UNDEFINED = 0x00;
const PREFIX_NULL = 0x01;
const PREFIX_FALSE = 0x02;
const PREFIX_TRUE = 0x03;
const PREFIX_NUMBER = 0x05;
const PREFIX_STRING = 0x08;
const SUFFIX_STRING_V1 = 0x00;
const SUFFIX_STRING_V2 = 0xff;
const V1_STRING_UNITS = 100;

const encoder = new TextEncoder();
const double = new DataView(new ArrayBuffer(8));

/** Bytes to be hashed; kept between calls, since nothing here awaits. */
let bytes = new Uint8Array(4096);
let length = 0;

/** Halves of the last 128-bit hash: high and low word of each. */
const half = { h1High: 0, h1Low: 0, h2High: 0, h2Low: 0 };

function appendText(text: string): void {
  if (bytes.length < length + text.length * 3 + 16) {
    const larger = new Uint8Array((length + text.length * 3 + 16) * 2);
    larger.set(bytes);
    bytes = larger;
  }
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      length += encoder.encodeInto(text.slice(index), bytes.subarray(length)).written;
      return;
    }
    bytes[length] = unit;
    length += 1;
  }
}

function appendByte(byte: number): void {
  bytes[length] = byte;
  length += 1;
}

function appendComponent(component: PartitionKeyComponent, stringSuffix: number): void {
  switch (typeof component) {
    case 'string':
      appendByte(PREFIX_STRING);
      appendText(component);
      appendByte(stringSuffix);
      return;
    case 'number':
      appendByte(PREFIX_NUMBER);
      double.setFloat64(0, component, true);
      for (let index = 0; index < 8; index += 1) {
        appendByte(double.getUint8(index));
      }
      return;
    case 'boolean':
      appendByte(component ? PREFIX_TRUE : PREFIX_FALSE);
      return;
    default:
      appendByte(component === null ? PREFIX_NULL : PREFIX_UNDEFINED);
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mixBlock32(block: number): number {
  return Math.imul(rotateLeft(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

/** MurmurHash3 x86 32 of the collected bytes, seed 0. */
function murmur32(): number {
  const blocksEnd = length - (length % 4);
  let hash = 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    hash = (Math.imul(rotateLeft(hash ^ mixBlock32(word(at)), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = length - 1; at >= blocksEnd; at -= 1) {
    tail = (tail << 8) | (bytes[at] as number);
  }
  hash ^= mixBlock32(tail) ^ length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Four bytes, least significant first. */
function word(at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

// 64-bit arithmetic on two 32-bit halves: a function leaves the high half here and returns the low one.
let high = 0;

function multiply64(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const low = a0 * b0;
  const middle1 = a1 * b0 + (low >>> 16 === 0 ? 0 : Math.floor(low / 0x10000));
  const middle2 = a0 * b1 + (middle1 % 0x10000);
  const carry = a1 * b1 + Math.floor(middle1 / 0x10000) + Math.floor(middle2 / 0x10000);
  high = (carry + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
  return Math.imul(aLow, bLow);
}

function add64(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const low = (aLow >>> 0) + (bLow >>> 0);
  high = (aHigh + bHigh + (low > 0xffffffff ? 1 : 0)) | 0;
  return low | 0;
}

/** Rotates by fewer than 32 bits. */
function rotate64(aHigh: number, aLow: number, bits: number): number {
  high = (aHigh << bits) | (aLow >>> (32 - bits));
  return (aLow << bits) | (aHigh >>> (32 - bits));
}

function mixFirst(kHigh: number, kLow: number): number {
  let low = multiply64(kHigh, kLow, 0x87c37b91, 0x114253d5);
  low = rotate64(high, low, 31);
  return multiply64(high, low, 0x4cf5ad43, 0x2745937f);
}

function mixSecond(kHigh: number, kLow: number): number {
  const low = multiply64(kHigh, kLow, 0x4cf5ad43, 0x2745937f);
  // By 33 bits: the halves change places, then one bit more.
  const turned = rotate64(low, high, 1);
  return multiply64(high, turned, 0x87c37b91, 0x114253d5);
}

function finish64(hHigh: number, hLow: number): number {
  let low = multiply64(hHigh, hLow ^ (hHigh >>> 1), 0xff51afd7, 0xed558ccd);
  low = multiply64(high, low ^ (high >>> 1), 0xc4ceb9fe, 0x1a85ec53);
  return low ^ (high >>> 1);
}

/** MurmurHash3 x64 128 of the collected bytes, seed 0, into {@link half}. */
function murmur128(): void {
  let h1High = 0;
  let h1Low = 0;
  let h2High = 0;
  let h2Low = 0;
  const blocksEnd = length - (length % 16);
  for (let at = 0; at < blocksEnd; at += 16) {
    let low = mixFirst(word(at + 4), word(at));
    low = rotate64(h1High ^ high, h1Low ^ low, 27);
    low = add64(high, low, h2High, h2Low);
    low = multiply64(high, low, 0, 5);
    h1Low = add64(high, low, 0, 0x52dce729);
    h1High = high;
    low = mixSecond(word(at + 12), word(at + 8));
    low = rotate64(h2High ^ high, h2Low ^ low, 31);
    low = add64(high, low, h1High, h1Low);
    low = multiply64(high, low, 0, 5);
    h2Low = add64(high, low, 0, 0x38495ab5);
    h2High = high;
  }
  // A zero word mixes to zero, so padding the tail with zeros changes nothing.
  bytes.fill(0, length, blocksEnd + 16);
  let tail = mixSecond(word(blocksEnd + 12), word(blocksEnd + 8));
  h2High ^= high;
  h2Low ^= tail ^ length;
  tail = mixFirst(word(blocksEnd + 4), word(blocksEnd));
  h1High ^= high;
  h1Low ^= tail ^ length;

  h1Low = add64(h1High, h1Low, h2High, h2Low);
  h1High = high;
  h2Low = add64(h2High, h2Low, h1High, h1Low);
  h2High = high;
  h1Low = finish64(h1High, h1Low);
  h1High = high;
  h2Low = finish64(h2High, h2Low);
  h2High = high;
  half.h1Low = add64(h1High, h1Low, h2High, h2Low);
  half.h1High = high;
  half.h2Low = add64(h2High, h2Low, half.h1High, half.h1Low);
  half.h2High = high;
}

/** Eight hexadecimal digits of a word, most significant first. */
function hexWord(value: number): string {
  return (
    (HEX[value >>> 24] as string) +
    (HEX[(value >>> 16) & 0xff] as string) +
    (HEX[(value >>> 8) & 0xff] as string) +
    (HEX[value & 0xff] as string)
  );
}

/** The hash of version 2 alone, for whoever wants a digest of a text: a page then leaves out the rest of this module. */
export function hashV2(key: PartitionKey): string {
  length = 0;
  for (const component of key) {
    appendComponent(component, SUFFIX_STRING_V2);
  }
  murmur128();
  // The two highest bits are cleared, so that every hash lies below 'FF'.
  return hexWord(half.h2High & 0x3fffffff) + hexWord(half.h2Low) + hexWord(half.h1High) + hexWord(half.h1Low);
}

/**
 * A number so that comparing the text compares the numbers: the first byte, then seven bits a byte with a mark for "more follows".
 *
 * A last byte of zero is left out, as the official client does.
 */
function orderedNumber(value: number): string {
  double.setFloat64(0, value);
  let upper = double.getUint32(0);
  let lower = double.getUint32(4);
  if (upper >>> 31 === 0) {
    upper ^= 0x80000000;
  } else {
    lower = -lower | 0;
    upper = (~upper + (lower === 0 ? 1 : 0)) | 0;
  }
  let text = `05${HEX[upper >>> 24] as string}`;
  upper = (upper << 8) | (lower >>> 24);
  lower <<= 8;
  for (;;) {
    const byte = (upper >>> 24) & 0xfe;
    upper = (upper << 7) | (lower >>> 25);
    lower <<= 7;
    if ((upper | lower) === 0) {
      return byte === 0 ? text : text + (HEX[byte] as string);
    }
    text += HEX[byte | 1] as string;
  }
}

/** {@link orderedNumber} for those who divide the hash space of version 1, whose keys begin with a hash in this form. */
export function orderedNumberEpk(value: number): string {
  return orderedNumber(value);
}

/** Reads the number at the beginning of {@link orderedNumberEpk}. */
export function readOrderedNumberEpk(epk: string): number {
  let bits = 0n;
  let taken = 8;
  bits = BigInt(`0x${epk.slice(2, 4) || '00'}`);
  for (let at = 4; at < epk.length; at += 2) {
    const byte = Number.parseInt(epk.slice(at, at + 2), 16);
    bits = (bits << 7n) | BigInt(byte >>> 1);
    taken += 7;
    if ((byte & 1) === 0) {
      break;
    }
  }
  const ordered = taken > 64 ? bits >> BigInt(taken - 64) : bits << BigInt(64 - taken);
  const sign = 1n << 63n;
  double.setBigUint64(0, (ordered & sign) === 0n ? BigInt.asUintN(64, -ordered) : ordered ^ sign);
  return double.getFloat64(0);
}

/** A string so that comparing the text compares the strings: each byte plus one, ended by a zero. */
function orderedString(text: string): string {
  length = 0;
  appendText(text);
  let encoded = '08';
  for (let index = 0; index < length; index += 1) {
    encoded += HEX[(bytes[index] as number) + 1] as string;
  }
  return `${encoded}00`;
}

function hashV1(component: PartitionKeyComponent): string {
  const value = typeof component === 'string' ? component.slice(0, V1_STRING_UNITS) : component;
  length = 0;
  appendComponent(value, SUFFIX_STRING_V1);
  const hash = orderedNumber(murmur32());
  switch (typeof value) {
    case 'string':
      return hash + orderedString(value);
    case 'number':
      return hash + orderedNumber(value);
    case 'boolean':
      return hash + (value ? '03' : '02');
    default:
      return hash + (value === null ? '01' : '00');
  }
}

/**
 * The effective partition key: the place of a partition key in the hash space of its container, as upper-case hexadecimal text.
 *
 * It is the hash of Cosmos DB itself (version 1: MurmurHash3 32 followed by the value; version 2: MurmurHash3 128; several paths: one version 2
 * hash after the other), because the official clients hash keys too and send ranges of hashes. Text order is the order of the space, and
 * every value lies in `''` to `'FF'`. A prefix of a key with several paths gives a prefix of the text.
 *
 * @example
 * ```ts
 * import { effectivePartitionKey } from 'perigee';
 *
 * console.log(effectivePartitionKey(['ada'], { paths: ['/owner'], kind: 'Hash', version: 2 }).length); // -> 32
 * ```
 */
export function effectivePartitionKey(key: PartitionKey, definition: PartitionKeyDefinition): string {
  if (definition.kind === 'MultiHash') {
    let text = '';
    for (const component of key) {
      text += hashV2([component]);
    }
    return text;
  }
  return definition.version === 1 ? hashV1(key[0]) : hashV2(key);
}

/** The whole hash space. */
export const FULL_EPK_RANGE: EpkRange = { min: '', max: 'FF' };

/** The range of effective partition keys that a key, or a prefix of one, covers; an empty prefix covers everything. */
export function epkRangeOfPrefix(key: PartitionKey, definition: PartitionKeyDefinition): EpkRange {
  if (key.length === 0) {
    return FULL_EPK_RANGE;
  }
  const min = effectivePartitionKey(key, definition);
  return { min, max: `${min}FF` };
}

/** Whether an effective partition key lies in a range. */
export function isInEpkRange(epk: string, range: EpkRange): boolean {
  return epk >= range.min && epk < range.max;
}
