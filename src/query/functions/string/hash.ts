import type { JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import { valueKey } from '../value-key.ts';

const encoder = new TextEncoder();

function scrambled(block: number): number {
  const mixed = Math.imul(block, 0xcc_9e_2d_51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b_87_35_93);
}

/** MurmurHash3 of 32 bits with seed 0, by Austin Appleby (in the public domain). */
export function murmur32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) {
    hash ^= scrambled(view.getUint32(at, true));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6_54_6b_64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) {
    tail = (tail << 8) | (bytes[at] as number);
  }
  hash ^= scrambled(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashOf(value: JsonValue, modulus?: number): Argument {
  const hashed = murmur32(encoder.encode(valueKey(value)));
  return modulus === undefined ? hashed : modulus > 0 ? hashed % modulus : undefined;
}

/** A number for any value, to spread values over buckets. The service's own numbers are not known; see "Choices" in docs/query-language.md. */
export const hash: FunctionEntry = defineFunction({
  name: 'HASH',
  family: 'string',
  parameters: [required('value', 'any'), optional('modulus', 'integer')],
  result: 'integer',
  summary: 'A whole number from 0 on, below 2^32 or the modulus, the same for equal values.',
  examples: [
    ['HASH({a: 1, b: 2}) = HASH({b: 2, a: 1})', true],
    ['HASH(c.id, 16) >= 0 AND HASH(c.id, 16) < 16', true],
    ["HASH('io', 0)", undefined],
  ],
  compute: hashOf,
});
