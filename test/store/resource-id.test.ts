import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  containerRid,
  containerSelf,
  databaseRid,
  databaseSelf,
  documentRid,
  documentSelf,
  parseContainerRid,
  parseDatabaseRid,
  parseDocumentRid,
} from '../../src/store/resource-id.ts';

const bytesOf = (rid: string): Buffer => Buffer.from(rid.replaceAll('-', '/'), 'base64');

describe('resource ids', () => {
  test('have 4, 8 and 16 bytes, nested, with the bit that marks a container', () => {
    const database = databaseRid(7);
    const container = containerRid(database, 3);
    const document = documentRid(container, 1);
    expect(bytesOf(database)).toHaveLength(4);
    expect(bytesOf(container)).toHaveLength(8);
    expect(bytesOf(document)).toHaveLength(16);
    expect(bytesOf(container).subarray(0, 4)).toEqual(bytesOf(database));
    expect(bytesOf(container)[4]).toBeGreaterThanOrEqual(0x80);
    expect(bytesOf(document).subarray(0, 8)).toEqual(bytesOf(container));
    expect(bytesOf(document).readBigUInt64LE(8)).toBe(1n);
  });

  test('are read back for every ordinal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffffffff }),
        fc.integer({ min: 1, max: 0x7fffffff }),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (database, container, ordinal) => {
          const databaseId = databaseRid(database);
          const containerId = containerRid(databaseId, container);
          const documentId = documentRid(containerId, ordinal);
          expect(parseDatabaseRid(databaseId)).toBe(database);
          expect(parseContainerRid(containerId)).toEqual({ database: databaseId, n: container });
          expect(parseDocumentRid(documentId)).toEqual({ container: containerId, ordinal });
          expect(documentId).toBe(bytesOf(documentId).toString('base64').replaceAll('/', '-'));
        },
      ),
    );
  });

  test('other texts are none', () => {
    for (const text of ['', 'mydb', 'AAAA', 'AAAAAQ', 'AAAAAQ=', 'AAAAA/==', '語語語語語語==', databaseRid(1).toLowerCase()]) {
      expect(parseDatabaseRid(text) ?? 0).not.toBe(1);
      expect(parseContainerRid(text)).toBeUndefined();
      expect(parseDocumentRid(text)).toBeUndefined();
    }
    expect(() => containerRid('mydb', 1)).toThrow(/resource id/u);
    expect(() => databaseRid(0)).toThrow(/ordinal/u);
  });

  test('self links nest', () => {
    const database = databaseRid(1);
    const container = containerRid(database, 2);
    const document = documentRid(container, 3);
    expect(databaseSelf(database)).toBe(`dbs/${database}/`);
    expect(documentSelf(containerSelf(container), document)).toBe(`dbs/${database}/colls/${container}/docs/${document}/`);
  });
});
