import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartitionKeyParser } from '../../src/server/partition-key-parser.ts';
import { parsePartitionKeyText } from '../../src/store/partition-key.ts';

const component = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constant({}),
);

test('a partition key in a header is read the same the first time and every time after', () => {
  const keys = new PartitionKeyParser();
  fc.assert(
    fc.property(fc.array(component, { maxLength: 3 }), (components) => {
      const text = JSON.stringify(components);
      const expected = parsePartitionKeyText(text);
      expect(keys.parse(text)).toEqual(expected);
      expect(keys.parse(text)).toEqual(expected);
    }),
  );
});

test('a text that is no partition key is refused each time', () => {
  const keys = new PartitionKeyParser();
  for (const text of ['', '{}', '[', '[[]]', '"ada"', '["a"]x', '[1e999]']) {
    expect(() => keys.parse(text), text).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    expect(() => keys.parse(text), text).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  }
});
