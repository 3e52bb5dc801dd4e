import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PartitionKeyDefinition } from '../../src/store/container-definition.ts';
import { effectivePartitionKey, epkRangeOfPrefix, isInEpkRange } from '../../src/store/effective-partition-key.ts';
import type { PartitionKey } from '../../src/store/partition-key.ts';

type Hash = (key: readonly unknown[], definition: PartitionKeyDefinition) => string;

const cosmos = dirname(createRequire(import.meta.url).resolve('@azure/cosmos/package.json'));
const { hashPartitionKey } = (await import(pathToFileURL(join(cosmos, 'dist/esm/utils/hashing/hash.js')).href)) as {
  hashPartitionKey: Hash;
};

const V1: PartitionKeyDefinition = { paths: ['/k'], kind: 'Hash', version: 1 };
const V2: PartitionKeyDefinition = { paths: ['/k'], kind: 'Hash', version: 2 };
const MULTI: PartitionKeyDefinition = { paths: ['/a', '/b', '/c'], kind: 'MultiHash', version: 2 };

/** The client writes a missing value as an empty object. */
function expectSame(key: PartitionKey, definition: PartitionKeyDefinition): void {
  const clientKey = key.map((component) => (component === undefined ? {} : component));
  expect(effectivePartitionKey(key, definition)).toBe(hashPartitionKey(clientKey, definition));
}

const component = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 90, maxLength: 130 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
);

describe('effective partition key', () => {
  test.each([V1, V2])('equals the official client for one path, version $version', (definition) => {
    fc.assert(
      fc.property(component, (value) => expectSame([value], definition)),
      { numRuns: 3000 },
    );
  });

  test('equals the official client for several paths', () => {
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 3 }), (key) => expectSame(key, MULTI)),
      { numRuns: 1000 },
    );
  });

  test('equals the official client at the edges', () => {
    const values = ['', '\0', '\u{10ffff}', 'é'.repeat(101), `${'a'.repeat(99)}😀`, 'x'.repeat(2048), '語'.repeat(5000)];
    const numbers = [0, 1, -1, 2, -2, 0.5, 1e308, -1e308, 5e-324, -5e-324, 2 ** 53, -(2 ** 53), 255, 256, 4294967295];
    for (const value of [...values, ...numbers, true, false, null, undefined]) {
      expectSame([value], V1);
      expectSame([value], V2);
    }
    for (let size = 0; size <= 70; size += 1) {
      expectSame(['s'.repeat(size)], V1);
      expectSame(['s'.repeat(size)], V2);
    }
  });

  test('tells keys apart by type', () => {
    const keys: PartitionKey[] = [['1'], [1], [true], [null], [undefined], ['']];
    for (const definition of [V1, V2]) {
      expect(new Set(keys.map((key) => effectivePartitionKey(key, definition))).size).toBe(keys.length);
    }
  });

  test('a range of a prefix holds the keys with that prefix and no other', () => {
    fc.assert(
      fc.property(fc.array(component, { minLength: 3, maxLength: 3 }), component, (key, other) => {
        const text = effectivePartitionKey(key, MULTI);
        for (let levels = 0; levels <= 3; levels += 1) {
          expect(isInEpkRange(text, epkRangeOfPrefix(key.slice(0, levels), MULTI))).toBe(true);
        }
        const outside = epkRangeOfPrefix([other], MULTI);
        expect(isInEpkRange(text, outside)).toBe(effectivePartitionKey([key[0]], MULTI) === effectivePartitionKey([other], MULTI));
      }),
      { numRuns: 500 },
    );
  });

  test('every key lies in the whole space', () => {
    fc.assert(
      fc.property(component, fc.constantFrom(V1, V2), (value, definition) => {
        expect(isInEpkRange(effectivePartitionKey([value], definition), epkRangeOfPrefix([], definition))).toBe(true);
      }),
    );
  });
});
