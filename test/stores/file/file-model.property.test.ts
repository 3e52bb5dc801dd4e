import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { openFileBackend, type FileBackend } from '../../../src/stores/file/file-backend.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { linesOf, temporaryFolder, writeLines } from './file-folders.ts';

/** One step: a write, or something that happens to the files and must not be seen. */
type Write =
  | { readonly kind: 'upsert' | 'delete'; readonly id: number; readonly pk: number; readonly value: number }
  | { readonly kind: 'batch'; readonly ids: readonly number[]; readonly pk: number; readonly value: number };
type Step = Write | { readonly kind: 'reopen' } | { readonly kind: 'crash' } | { readonly kind: 'quiet' };

const id = fc.nat({ max: 5 });
const pk = fc.nat({ max: 2 });
const value = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('upsert', 'delete'), id, pk, value }) as fc.Arbitrary<Step> },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('batch'),
      ids: fc.array(id, { minLength: 1, maxLength: 4 }),
      pk,
      value,
    }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reopen', 'crash', 'quiet') }) as fc.Arbitrary<Step> },
);

/** What a container begins with. */
const BEGINNINGS = ['by a person', 'by both'] as const;

/** A folder with some documents, as a person wrote them, or put them between and changed those that the store had written. */
async function begin(beginning: (typeof BEGINNINGS)[number]): Promise<string> {
  const folder = temporaryFolder();
  const line = (number: number): string => JSON.stringify({ id: `${number}`, pk: number % 2, value: 100 + number });
  writeLines(folder, {
    'app/items.jsonl': [0, 1, 2, 3].map(line),
    'app/items.container.json': '{"partitionKey":"/pk"}',
  });
  if (beginning === 'by both') {
    const backend = await openFileBackend({ folder });
    const store = await backend.container('app', 'items');
    for (const number of [0, 1, 3]) {
      await store.upsert({ id: `${number}`, pk: number % 2, value: 200 + number });
    }
    await backend.close();
    const lines = linesOf(folder, 'app', 'items.jsonl');
    const edited = lines.map((one) => one.replace('"value":201', '"value":301'));
    writeLines(folder, { 'app/items.jsonl': [line(4), edited[0] as string, line(5), ...edited.slice(1)] });
  }
  return folder;
}

/** Makes of an empty store what another one is, in the same orders. */
async function liken(model: DocumentStore, store: DocumentStore): Promise<void> {
  for (const document of await store.query('SELECT * FROM c').toArray()) {
    await model.create(document);
  }
  for await (const { document } of store.changes()) {
    await model.upsert(document);
  }
}

async function write(store: DocumentStore, one: Write): Promise<unknown> {
  switch (one.kind) {
    case 'upsert':
      return (await store.upsert({ id: `${one.id}`, pk: one.pk, value: one.value })).created;
    case 'delete':
      return store.delete(`${one.id}`, one.pk).then(
        () => 'deleted',
        (error: { code: string }) => error.code,
      );
    case 'batch': {
      // The last operation fails where the document is there, so some batches are undone.
      const puts = one.ids.map((number) => ({ type: 'upsert' as const, document: { id: `${number}`, pk: one.pk, value: one.value } }));
      return (await store.batch(one.pk, [...puts, { type: 'create', document: { id: 'once', pk: one.pk } }])).committed;
    }
    default:
      return one satisfies never;
  }
}

/** Everything that may not depend on how the documents are kept. */
async function seen(store: DocumentStore): Promise<unknown> {
  const documents = await store.query('SELECT c.id, c.pk, c["value"] AS v FROM c').toArray();
  const changes: unknown[] = [];
  for await (const { document } of store.changes()) {
    changes.push([document.id, document['pk'], document['value']]);
  }
  return { documents, changes };
}

describe('a file container', () => {
  test(
    'is at every moment what memory holds, over tidying, reopening and crashes, and keeps etags and numbers',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...BEGINNINGS), fc.array(step, { maxLength: 25 }), async (beginning, steps) => {
          const runtime = new SimulatedRuntime({ seed: 'model' });
          let folder = await begin(beginning);
          const memory = openMemoryBackend();
          await memory.createDatabase('app');
          await memory.createContainer('app', { id: 'items', partitionKey: '/pk' });
          const model = await memory.container('app', 'items');
          const opened: FileBackend[] = [];
          const open = async (): Promise<DocumentStore> => {
            const backend = await openFileBackend({ folder, runtime });
            opened.push(backend);
            return backend.container('app', 'items');
          };
          let store = await open();
          await liken(model, store);
          for (const one of steps) {
            const before = await store.query('SELECT c._etag, c._rid, c._ts FROM c').toArray();
            if (one.kind === 'quiet') {
              await runtime.advance(2000);
            } else if (one.kind === 'reopen') {
              await opened.at(-1)?.close();
              store = await open();
            } else if (one.kind === 'crash') {
              // What a killed process leaves: the files as they are, and its lock, which nobody holds.
              const next = temporaryFolder();
              cpSync(folder, next, { recursive: true, preserveTimestamps: true });
              rmSync(join(next, '.perigee', 'lock'));
              folder = next;
              store = await open();
            } else {
              expect(await write(store, one)).toEqual(await write(model, one));
            }
            if (one.kind === 'quiet' || one.kind === 'reopen' || one.kind === 'crash') {
              expect(await store.query('SELECT c._etag, c._rid, c._ts FROM c').toArray()).toEqual(before);
            }
            expect(await seen(store)).toEqual(await seen(model));
          }
          await Promise.all([...opened.map((backend) => backend.close()), memory.close()]);
        }),
        { seed: 20_261_121, numRuns: 40 },
      );
    },
  );
});
