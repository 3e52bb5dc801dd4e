import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangesOptions } from '../../../src/store/changes.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { isInEpkRange, effectivePartitionKey } from '../../../src/store/effective-partition-key.ts';
import { newStore, openBackend } from './test-files.ts';

type Step =
  | { readonly kind: 'upsert' | 'delete'; readonly id: number; readonly pk: number }
  | { readonly kind: 'fill'; readonly count: number; readonly pk: number };

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('upsert' as const), id: fc.nat(8), pk: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.nat(8), pk: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill' as const), count: fc.integer({ min: 1, max: 150 }), pk: fc.nat(2) }) },
);

/** The feed as it must be: the last position of each living document. */
class Model {
  readonly living = new Map<string, number>();

  async apply(store: DocumentStore, one: Step): Promise<void> {
    const pk = `p${one.pk}`;
    if (one.kind === 'fill') {
      const documents = Array.from({ length: one.count }, (_, index) => ({ id: `f${index}`, pk }));
      const { outcomes } = await store.bulk(documents.map((document) => ({ type: 'upsert', document })));
      outcomes.forEach((outcome, index) => {
        if (outcome.ok) {
          this.living.set(`${pk}/f${index}`, outcome.position as number);
        }
      });
      return;
    }
    const key = `${pk}/d${one.id}`;
    if (one.kind === 'upsert') {
      this.living.set(key, (await store.upsert({ id: `d${one.id}`, pk })).position as number);
    } else if (this.living.delete(key)) {
      await store.delete(`d${one.id}`, pk);
    }
  }

  since(position: number, includes: (pk: string) => boolean): (readonly [string, number])[] {
    return [...this.living]
      .filter(([key, at]) => at > position && includes(key.slice(0, key.indexOf('/'))))
      .sort(([, left], [, right]) => left - right);
  }
}

async function readFeed(store: DocumentStore, options: ChangesOptions): Promise<{ changes: [string, number][]; cursor: string }> {
  const feed = store.changes(options);
  const changes: [string, number][] = [];
  for (;;) {
    const page = await feed.nextPage();
    changes.push(
      ...page.changes.map(({ document, position }): [string, number] => [`${document['pk'] as string}/${document.id}`, position as number]),
    );
    expect(page.changes.length).toBeLessThanOrEqual(options.maxItemCount ?? 100);
    if (page.caughtUp) {
      return { changes, cursor: page.cursor };
    }
  }
}

const definition = { paths: ['/pk'], kind: 'Hash', version: 2 } as const;
const half = '20000000000000000000000000000000';
const scopes: readonly { readonly options: ChangesOptions; readonly includes: (pk: string) => boolean }[] = [
  { options: {}, includes: () => true },
  { options: { partitionKey: 'p1' }, includes: (pk) => pk === 'p1' },
  {
    options: { range: { min: half, max: 'FF' } },
    includes: (pk) => isInEpkRange(effectivePartitionKey([pk], definition), { min: half, max: 'FF' }),
  },
];

describe('the change feed of SQLite', () => {
  test('whatever was written, deleted and written again: each scope gives the last versions in order, from any cursor, in pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.array(step, { maxLength: 15 }),
        fc.integer({ min: 1, max: 40 }),
        async (first, second, maxItemCount) => {
          const backend = await openBackend({ path: ':memory:' });
          const store = await newStore(backend);
          const model = new Model();
          for (const one of first) {
            await model.apply(store, one);
          }
          const cursors: string[] = [];
          for (const { options, includes } of scopes) {
            const { changes, cursor } = await readFeed(store, { ...options, maxItemCount });
            expect(changes).toEqual(model.since(0, includes));
            cursors.push(cursor);
          }
          const before = Math.max(0, ...model.living.values());
          for (const one of second) {
            await model.apply(store, one);
          }
          for (const [index, { options, includes }] of scopes.entries()) {
            const { changes } = await readFeed(store, { ...options, maxItemCount, from: { cursor: cursors[index] as string } });
            expect(changes).toEqual(model.since(before, includes));
          }
          await backend.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
