import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { lastWriteWins, mergeFields, SyncEngine, type SchemaOptions } from '../../src/sync/index.ts';
import { at3, note, V2, V3, versions } from './schema-scene.ts';
import { contents, World, type Note } from './world.ts';

const step = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    device: fc.nat(1),
    id: fc.constantFrom('1', '2'),
    text: fc.constantFrom('a', 'b c', 'd'),
  }),
  fc.record({ do: fc.constant('delete' as const), device: fc.nat(1), id: fc.constantFrom('1', '2') }),
  fc.record({ do: fc.constant('sync' as const), device: fc.nat(1) }),
  fc.record({ do: fc.constant('upgrade' as const) }),
);

/** A document of version 1 or 2, in version 3. */
function newest(document: JsonObject): JsonObject {
  const { name, title = name, schemaVersion, ...rest } = document;
  return schemaVersion === 3 ? document : { ...rest, schemaVersion: 3, words: (title as string).split(' ') };
}

test.each([
  ['the last write', lastWriteWins],
  ['a merge', mergeFields()],
])('devices of different versions converge, and so do they once both are up to date: %s', { timeout: 60_000 }, async (_name, policy) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const one = await World.open();
      const backend = await openSqliteBackend({ path: ':memory:', runtime: one.runtime });
      const newer = await one.device({ policy, ...versions(V3) });
      const start = (schema: SchemaOptions): Promise<SyncEngine> =>
        SyncEngine.open({
          backend,
          user: 'ada',
          device: 'old',
          scope: [{ container: 'notes', partitionKey: 'ada' }],
          remote: (container) => one.cloud.container('app', container),
          policy,
          ...versions(schema),
        });
      let version = 2;
      let older = await start(V2);
      try {
        const sync = async (index: number): Promise<void> => {
          expect((await (index === 0 ? newer.engine : older).sync()).outcome).toBe('complete');
        };
        const upgrade = async (): Promise<void> => {
          version = 3;
          await older.close();
          older = await start(V3);
        };
        for (const next of steps) {
          await one.pass(1000);
          if (next.do === 'upgrade') {
            await upgrade();
          } else if (next.do === 'sync') {
            await sync(next.device);
          } else {
            const store = next.device === 0 ? newer.notes : older.store<Note>('notes');
            if (next.do === 'delete') {
              await store.delete(next.id, 'ada').catch(() => undefined);
            } else {
              const isNew = next.device === 0 || version === 3;
              const body = isNew ? at3({ words: next.text.split(' ') }, next.id) : note({ schemaVersion: 2, title: next.text }, next.id);
              const before = (await store.read(next.id, 'ada'))?.document;
              const written = await store.upsert(body).catch((error: unknown) => error);
              expect(isPerigeeError(written, 'SCHEMA_TOO_NEW')).toBe(!isNew && before?.['schemaVersion'] === 3);
            }
          }
        }
        for (const index of [0, 1, 0, 1]) {
          await sync(index);
        }
        const remote = await contents(await one.remote());
        const held = await contents(older.store<Note>('notes'));
        expect(held).toEqual(version === 3 ? await contents(newer.notes) : remote);
        const migratedRemote = Object.fromEntries(Object.entries(remote).map(([id, found]) => [id, newest(found)]));
        expect(await contents(newer.notes)).toEqual(migratedRemote);
        expect(await newer.engine.verify()).toMatchObject({ equal: true });
        expect(await older.verify()).toMatchObject({ equal: true });
        await upgrade();
        expect((await older.pending()).length).toBe(0);
        expect(await contents(older.store<Note>('notes'))).toEqual(migratedRemote);
        expect(await older.verify()).toMatchObject({ equal: true });
      } finally {
        await older.close();
        await backend.close();
        await one.close();
      }
    }),
    { numRuns: 40 },
  );
});
