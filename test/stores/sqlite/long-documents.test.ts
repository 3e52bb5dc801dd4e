import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { betterSqlite3Driver } from '../../../src/stores/sqlite/better-sqlite3-driver.ts';
import type { SqliteDriver } from '../../../src/stores/sqlite/driver.ts';
import { afterTest, openBackend } from './test-files.ts';

const SHORT = 600;
const LONG = 120;
const LONG_CHARACTERS = 150_000;

function charactersOf(answer: unknown): number {
  if (typeof answer === 'string') {
    return answer.length;
  }
  return typeof answer === 'object' && answer !== null ? Object.values(answer).reduce<number>((sum, one) => sum + charactersOf(one), 0) : 0;
}

/** A driver that notes the longest answer of a statement. */
function measuringDriver(): { readonly driver: SqliteDriver; readonly longest: { characters: number } } {
  const longest = { characters: 0 };
  const real = betterSqlite3Driver();
  const driver: SqliteDriver = {
    name: 'measuring',
    async open(options) {
      const connection = await real.open(options);
      return {
        executeSync: undefined,
        async execute(step) {
          const answer = await connection.execute(step);
          longest.characters = Math.max(longest.characters, charactersOf(answer));
          return answer;
        },
        close: () => connection.close(),
      };
    },
  };
  return { driver, longest };
}

async function fill(store: DocumentStore): Promise<void> {
  const short = Array.from({ length: SHORT }, (_, n) => ({ id: `s${n}`, pk: 'p', n, isLong: false }));
  const filler = 'x'.repeat(LONG_CHARACTERS);
  const long = Array.from({ length: LONG }, (_, n) => ({ id: `l${n}`, pk: 'p', n: SHORT + ((n * 7) % LONG), m: n, isLong: true, filler }));
  for (const documents of [short, long]) {
    await store.bulk(documents.map((document) => ({ type: 'create' as const, document })));
  }
}

const INDEXES = { includedPaths: ['/*', '/n/?', '/isLong/?'].map((path) => ({ path })), excludedPaths: [] };

describe('documents that are long', () => {
  test('are read few at a time, whichever way a query finds them', { timeout: 60_000 }, async () => {
    const { driver, longest } = measuringDriver();
    const memory = openMemoryBackend();
    afterTest(() => memory.close());
    const sqlite = await openBackend({ path: ':memory:', driver });
    const stores: DocumentStore[] = [];
    for (const backend of [memory, sqlite]) {
      await backend.createDatabase('test');
      await backend.createContainer('test', { id: 'items', partitionKey: '/pk', indexingPolicy: INDEXES });
      const store = await backend.container('test', 'items');
      await fill(store);
      stores.push(store);
    }
    for (const query of [
      'SELECT * FROM c WHERE c.isLong = true',
      'SELECT * FROM c WHERE c.n > 500 ORDER BY c.n',
      'SELECT * FROM c ORDER BY c.n DESC',
      'SELECT c.id, c.filler FROM c WHERE c.n % 2 = 0 ORDER BY c.n',
      'SELECT c.id, c.filler FROM c WHERE c.isLong ORDER BY c.m DESC',
      'SELECT * FROM c ORDER BY c.m DESC',
    ]) {
      longest.characters = 0;
      const ids: JsonValue[][] = [];
      for (const store of stores) {
        const page = await store.query<{ id: string }>(query, { maxItemCount: 200 }).nextPage();
        ids.push((page?.items ?? []).map(({ id }) => id));
      }
      expect(ids[1], query).toEqual(ids[0]);
      expect(longest.characters, query).toBeLessThan(40 * LONG_CHARACTERS);
    }
  });
});
