import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/core/json-order.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import type { Backend } from '../../../src/store/backend.ts';
import type { SnapshotRecord } from '../../../src/store/snapshot/snapshot-record.ts';
import { openMemoryBackend } from '../../../src/stores/memory/memory-backend.ts';
import { openFreshPostgres } from '../../support/open-postgres.ts';
import { openSqliteBackend } from '../../../src/stores/sqlite/sqlite-backend.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { arbitraryBody } from '../../query/compile/arbitrary-document.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_129);
const RUNS = Number(process.env['PERIGEE_RUNS'] ?? 40);
const START_MS = 1735689600123;
const KINDS = ['memory', 'sqlite file', 'sqlite in memory', 'postgres'] as const;

type Kind = (typeof KINDS)[number];

const slot = fc.record({ database: fc.constantFrom('a', 'b'), container: fc.constantFrom('x', 'y', 'z') });
const document = fc.record({
  id: fc.constantFrom('1', '2', '3', '4', '5'),
  pk: fc.constantFrom<string | number | null>('p', 'q', 7, null),
  ttl: fc.option(fc.constantFrom(-1, 2, 10, 100), { nil: undefined, freq: 1 }),
  body: arbitraryBody,
});
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant('put' as const), slot, document }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('delete' as const), slot, document }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('batch' as const), slot, documents: fc.array(document, { minLength: 2, maxLength: 5 }) }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 1000, 3000, 20_000) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('catalog' as const), document }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('remake' as const, 'remove' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restore' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('remember' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Opened {
  readonly backend: Backend;
  readonly dispose: () => Promise<void>;
}

async function open(kind: Kind, runtime: SimulatedRuntime): Promise<Opened> {
  if (kind === 'memory') {
    const backend = openMemoryBackend({ runtime });
    return { backend, dispose: () => backend.close() };
  }
  if (kind === 'postgres') {
    const backend = await openFreshPostgres({ runtime });
    return { backend, dispose: () => backend.close() };
  }
  const folder = mkdtempSync(join(tmpdir(), 'perigee-snapshots-'));
  const path = kind === 'sqlite file' ? join(folder, 'store.db') : ':memory:';
  const backend = await openSqliteBackend({ path, runtime });
  return {
    backend,
    dispose: async () => {
      await backend.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function take(backend: Backend, asOfMs?: number): Promise<SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  for await (const record of backend.snapshot({ asOfMs })) {
    records.push(record);
  }
  return records;
}

/** Everything that a backend shows, with the order of properties, and of documents. */
async function shown(backend: Backend): Promise<{ readonly documents: Record<string, string[]>; readonly rest: string[] }> {
  const documents: Record<string, string[]> = {};
  const rest: string[] = [];
  for (const database of await backend.listDatabases()) {
    rest.push(JSON.stringify(database));
    for (const container of await backend.listContainers(database.id)) {
      rest.push(canonicalJson(JSON.parse(JSON.stringify(container)) as JsonValue));
      const store = await backend.container(database.id, container.definition.id);
      const found = await store.query('SELECT * FROM c', { maxItemCount: 1000 }).toArray();
      documents[container.rid] = found.map((one) => JSON.stringify(one));
      const latest: string[] = [];
      for await (const change of store.changes()) {
        latest.push(JSON.stringify(change.document));
      }
      expect(latest.toSorted()).toEqual(documents[container.rid]?.toSorted());
      rest.push(...latest);
      await store.close();
    }
  }
  const catalog = await backend.catalog();
  rest.push(...(await catalog.query('SELECT * FROM c').toArray()).map((one) => JSON.stringify(one)));
  await catalog.close();
  return { documents, rest };
}

/** Where documents expire, have unique values, and are recorded, or not. */
const DEFINITIONS: Readonly<Record<string, object>> = {
  x: { defaultTtl: -1, changeFeedPolicy: { retentionDuration: 60 } },
  y: { defaultTtl: 30, uniqueKeys: [['/unique']], changeFeedPolicy: { retentionDuration: 60 } },
  z: { partitionKey: ['/pk', '/sub/key'], changeFeedPolicy: { retentionDuration: 60 } },
};

function definitionOf(container: string, recorded: boolean): Parameters<Backend['createContainer']>[1] {
  const definition = { id: container, partitionKey: '/pk', ...DEFINITIONS[container] };
  return recorded ? definition : { ...definition, changeFeedPolicy: undefined };
}

/** Does one step; refused writes change nothing, as everywhere. */
async function perform(backend: Backend, runtime: SimulatedRuntime, one: Step, recorded: boolean): Promise<void> {
  switch (one.what) {
    case 'pass':
      await runtime.advance(one.ms);
      return;
    case 'catalog': {
      const catalog = await backend.catalog();
      await catalog.upsert({ ...one.document.body, id: one.document.id, scope: String(one.document.pk) } as never);
      await catalog.close();
      return;
    }
    case 'remake':
    case 'remove':
      await backend.deleteContainer(one.slot.database, one.slot.container).catch(() => undefined);
      if (one.what === 'remake') {
        await backend.createContainer(one.slot.database, definitionOf(one.slot.container, recorded));
      }
      return;
    case 'put':
    case 'delete':
    case 'batch': {
      const { database, container } = one.slot;
      if ((await backend.readContainer(database, container)) === undefined) {
        return;
      }
      const store = await backend.container(database, container);
      const ids = one.what === 'batch' ? one.documents : [one.document];
      const [{ pk }] = ids as [(typeof ids)[number]];
      const key = container === 'z' ? [pk, undefined] : pk;
      await store.batch(
        key,
        ids.map(({ id, ttl, body }, index) => {
          const { sub: _sub, ...members } = body as { readonly sub?: unknown };
          const life = ttl === undefined ? {} : { ttl };
          return one.what === 'delete'
            ? { type: 'delete', id }
            : { type: 'upsert', document: { ...members, id, pk, unique: `${id} ${index}`, ...life } };
        }),
      );
      await store.close();
      return;
    }
    default:
  }
}

test(
  'any account: restored elsewhere and back it is the same, in place it is as it was, and each past moment is as it was',
  { timeout: 300_000 },
  async () => {
    const kinds = fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(...KINDS), fc.constantFrom(...KINDS));
    await fc.assert(
      fc.asyncProperty(
        kinds,
        fc.boolean(),
        fc.array(step, { minLength: 15, maxLength: 60 }),
        async ([first, second, third], recorded, steps) => {
          const runtime = new SimulatedRuntime({ startMs: START_MS });
          const { backend, dispose } = await open(first, runtime);
          const moments: { readonly atMs: number; readonly documents: Record<string, string[]> }[] = [];
          let kept: { readonly records: SnapshotRecord[]; readonly state: Awaited<ReturnType<typeof shown>> } | undefined;
          try {
            for (const database of ['a', 'b']) {
              await backend.createDatabase(database);
              for (const container of ['x', 'y', 'z']) {
                await backend.createContainer(database, definitionOf(container, recorded));
              }
            }
            for (const one of steps) {
              if (one.what === 'remember') {
                const state = await shown(backend);
                kept ??= { records: await take(backend), state };
                moments.push({ atMs: runtime.nowMs(), documents: state.documents });
                // Nothing else is of this moment.
                await runtime.advance(1);
              } else if (one.what === 'restore' && kept !== undefined) {
                await backend.restore(kept.records, { replace: true });
                expect(await shown(backend)).toEqual(kept.state);
                // What was written after the snapshot never was.
                moments.length = 0;
              } else {
                await perform(backend, runtime, one, recorded);
              }
            }
            const records = await take(backend);
            const state = await shown(backend);
            const copies = [await open(second, runtime), await open(third, runtime)] as const;
            try {
              await copies[0].backend.restore(records);
              expect(await shown(copies[0].backend)).toEqual(state);
              const again = await take(copies[0].backend);
              expect(again).toEqual(records);
              await copies[1].backend.restore(JSON.parse(JSON.stringify(again)) as SnapshotRecord[]);
              expect(await take(copies[1].backend)).toEqual(records);
              for (const { atMs, documents } of recorded ? moments : []) {
                // A past moment is computed here, and from what a copy knows of it.
                for (const one of [backend, copies[0].backend]) {
                  const past = await take(one, atMs);
                  await copies[1].backend.restore(past, { replace: true });
                  const then = (await shown(copies[1].backend)).documents;
                  for (const [rid, found] of Object.entries(then)) {
                    expect(found, `${atMs - START_MS} ms after the start`).toEqual(documents[rid] ?? []);
                  }
                }
              }
            } finally {
              await Promise.all(copies.map((copy) => copy.dispose()));
            }
          } finally {
            await dispose();
          }
        },
      ),
      { seed: SEED, numRuns: RUNS, endOnFailure: false },
    );
  },
);
