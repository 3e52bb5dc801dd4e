import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkEpkRange } from '../../src/store/check-epk-range.ts';
import type { PartitionKeyDefinition } from '../../src/store/container-definition.ts';
import { effectivePartitionKey } from '../../src/store/effective-partition-key.ts';
import { epkAt, placeOfEpk, shareOfRange, spaceOf } from '../../src/store/hash-space.ts';

const seed = Number(process.env['PERIGEE_FUZZ_SEED'] ?? 31);
const definitions: Readonly<Record<string, PartitionKeyDefinition>> = {
  'version 1': { paths: ['/a'], kind: 'Hash', version: 1 },
  'version 2': { paths: ['/a'], kind: 'Hash', version: 2 },
  'two paths': { paths: ['/a', '/b'], kind: 'MultiHash', version: 2 },
};
const hex = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'.split('')), maxLength: 40 });

describe.each(Object.keys(definitions))('the hash space of %s', (name) => {
  const definition = definitions[name] as PartitionKeyDefinition;

  test('has a place for whatever hexadecimal text a client sends, and a share for every range', () => {
    fc.assert(
      fc.property(hex, hex, (min, max) => {
        const range = checkEpkRange({ min, max });
        const place = placeOfEpk(min, definition);
        expect(place >= 0n && place <= spaceOf(definition)).toBe(true);
        const share = shareOfRange(range, definition);
        expect(share >= 0 && share <= 1).toBe(true);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test('has the places that it gives, in the order of their keys', () => {
    const fraction = fc.double({ min: 1e-6, max: 0.999_999, noNaN: true });
    const placeAt = (share: number): bigint => BigInt(Math.floor(share * Number(spaceOf(definition) / 1_000_000n))) * 1_000_000n + 1n;
    fc.assert(
      fc.property(fraction, fraction, (one, other) => {
        const [low, high] = [placeAt(Math.min(one, other)), placeAt(Math.max(one, other))];
        expect(placeOfEpk(epkAt(low, definition), definition)).toBe(low);
        expect(low === high || epkAt(low, definition) < epkAt(high, definition)).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test('has a place for every key', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const key = definition.paths.map(() => text);
        const place = placeOfEpk(effectivePartitionKey(key, definition), definition);
        expect(place >= 0n && place < spaceOf(definition)).toBe(true);
      }),
      { seed, numRuns: 200 },
    );
  });
});

test('a range whose ends are no hexadecimal text is refused', () => {
  for (const end of ['0x2pD', 'ff', 'G', ' ', '05C1\u0000', 7, null]) {
    for (const range of [
      { min: end, max: 'FF' },
      { min: '', max: end },
    ]) {
      expect(() => checkEpkRange(range as never)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }) as Error);
    }
  }
});
