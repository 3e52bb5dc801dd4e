import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import { checkResourceName } from '../../../src/store/ids.ts';
import { clashKey, decodeName, encodeName } from '../../../src/stores/file/file-names.ts';
import { openFolder, temporaryFolder, writeLines } from './file-folders.ts';

function isName(id: string): boolean {
  try {
    checkResourceName(id);
    return true;
  } catch (error) {
    return !isPerigeeError(error);
  }
}

const hard = [
  '..',
  '.',
  '.git',
  '.perigee',
  'a.',
  'nul',
  'CON',
  'com1.txt',
  'aux',
  'a\0b',
  'a\nb',
  'a:b',
  'a*b',
  '~',
  'a~1',
  'a~~',
  '%41',
  'ÅÄ',
  'e\u0301',
  'ﬁ',
  '日本',
  'a b',
  ' a',
  '\t',
];
const arbitraryId = fc
  .oneof(
    fc.constantFrom(...hard),
    fc.string({ minLength: 1, maxLength: 255, unit: 'binary' }),
    fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'A', '.', '~', '%', 'é', 'e\u0301', ' ', '1', '\0', 'ß', 'ẞ') }),
  )
  .filter(isName);

describe('names of files', () => {
  test('of any ids stay in their folder, fit, are portable, differ where case does not count, and give the ids back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryId, { maxLength: 20 }), (ids) => {
        const taken = new Set<string>();
        for (const id of ids) {
          const name = encodeName(id, taken);
          expect(taken.has(clashKey(name))).toBe(false);
          taken.add(clashKey(name));
          expect(name).toMatch(/^[^./\\<>:"|?*\p{Cc}](?:[^/\\<>:"|?*\p{Cc}]*[^./\\<>:"|?*\p{Cc} ])?$/u);
          expect(name).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu);
          expect(Buffer.byteLength(`${name}.container.json.tmp-0123456789abcdef`)).toBeLessThanOrEqual(255);
          expect([name.normalize('NFC'), name.normalize('NFD')]).toEqual([name, name]);
          const decoded = decodeName(name);
          expect(decoded === 'cut' ? Buffer.byteLength(encodeURIComponent(id)) > 180 : decoded).toEqual(decoded === 'cut' ? true : { id });
        }
      }),
      { seed: 20_261_120, numRuns: 500 },
    );
  });

  test('hard ids as databases and containers leave nothing outside of the folder and come back', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'store');
    const ids = [...hard, 'Case', 'case', 'CASE', 'x'.repeat(255), 'X'.repeat(255), '日'.repeat(255)].filter(isName);
    const backend = await openFolder(folder);
    await backend.createDatabase('all');
    for (const id of ids) {
      await backend.createDatabase(id);
      await backend.createContainer('all', { id, partitionKey: '/id' });
      await (await backend.container('all', id)).create({ id: 'x', name: id });
    }
    await backend.close();
    expect(readdirSync(root)).toEqual(['store']);
    const again = await openFolder(folder);
    expect((await again.listDatabases()).map(({ id }) => id)).toEqual(['all', ...ids]);
    expect((await again.listContainers('all')).map(({ definition }) => definition.id)).toEqual(ids);
    for (const id of ids) {
      expect((await (await again.container('all', id)).read('x', 'x'))?.document['name']).toBe(id);
    }
  });

  test('of two files with one id the second is refused by its name; folders without containers are no databases', async () => {
    const folder = temporaryFolder();
    writeLines(folder, {
      'shop/a.jsonl': ['{"id":"1"}'],
      'shop/%61.jsonl': ['{"id":"2"}'],
      'notes/README.md': 'Notes.',
      '.git/x.jsonl': ['{"id":"1"}'],
    });
    const backend = await openFolder(folder);
    expect((await backend.listDatabases()).map(({ id }) => id)).toEqual(['shop']);
    expect((await backend.createDatabase('notes')).id).toBe('notes');
    await backend.deleteDatabase('notes');
    expect(existsSync(join(folder, 'notes', 'README.md'))).toBe(true);
    await expect(backend.listContainers('shop')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
