import type { Backend } from '../../store/backend.ts';
import type { StoredDocument } from '../../store/document.ts';
import { parseDocumentRid } from '../../store/resource-id.ts';
import type { SnapshotOptions, SnapshotRecord } from '../../store/snapshot/snapshot-record.ts';
import { SimulatedRuntime } from '../simulated-runtime.ts';
import { checkNotSupported, DATABASE, type ConformanceContext, type OpenedBackend } from './conformance-context.ts';

/** When the clock of a test starts. */
export const START_MS = 1735689600000;

/** All records of a snapshot. */
export async function take(backend: Backend, options: SnapshotOptions = {}): Promise<SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  for await (const record of backend.snapshot(options)) {
    records.push(record);
  }
  return records;
}

/** Creation order of a document. */
export function ordinalOf({ _rid }: StoredDocument): number {
  return parseDocumentRid(_rid)?.ordinal ?? Number.NaN;
}

/** What a backend shows of itself, with the order of properties. */
export async function shown(backend: Backend): Promise<string[]> {
  const lines: string[] = [];
  for (const database of await backend.listDatabases()) {
    lines.push(JSON.stringify(database));
    for (const container of await backend.listContainers(database.id)) {
      lines.push(JSON.stringify(container));
      const store = await backend.container(database.id, container.definition.id);
      lines.push(...(await store.query('SELECT * FROM c').toArray()).map((document) => JSON.stringify(document)));
      const changes = [];
      for await (const { document } of store.changes()) {
        changes.push(document.id);
      }
      lines.push(changes.join(' '));
      await store.close();
    }
  }
  if (backend.capabilities.catalog) {
    const catalog = await backend.catalog();
    lines.push(...(await catalog.query('SELECT * FROM c').toArray()).map((document) => JSON.stringify(document)));
    await catalog.close();
  }
  return lines;
}

/** Fills a backend with two databases, containers of different kinds, and documents that were written, replaced and deleted. */
export async function fill(backend: Backend): Promise<void> {
  await backend.createDatabase(DATABASE);
  await backend.createDatabase('gone');
  await backend.createDatabase('other');
  await backend.deleteDatabase('gone');
  await backend.createContainer(DATABASE, {
    id: 'full',
    partitionKey: ['/a/b', '/c'],
    defaultTtl: -1,
    uniqueKeys: [['/u']],
    indexingPolicy: { indexingMode: 'consistent', includedPaths: [{ path: '/n/?' }], excludedPaths: [{ path: '/*' }] },
    computedProperties: [{ name: 'twice', query: 'SELECT VALUE c.n * 2 FROM c' }],
    changeFeedPolicy: { retentionDuration: 10 },
    extra: { kept: { as: ['it', 'is'] } },
  });
  await backend.createContainer(DATABASE, { id: 'dropped', partitionKey: '/pk' });
  await backend.createContainer('other', { id: 'plain', partitionKey: '/pk' });
  await backend.deleteContainer(DATABASE, 'dropped');
  const full = await backend.container(DATABASE, 'full');
  const plain = await backend.container('other', 'plain');
  for (let n = 0; n < 20; n += 1) {
    const keys = n % 3 === 0 ? {} : { a: { b: n % 4 === 0 ? null : `k${n % 2}` }, c: n % 5 };
    await full.create({
      z: n,
      id: `${n}`,
      ...keys,
      u: n,
      n,
      text: 'x\u0000é😀',
      ['__proto__']: { n },
      ...(n % 6 === 1 ? { ttl: 100 } : {}),
    });
    await plain.create({ id: `${n}`, pk: n % 3 });
  }
  await full.replace({ id: '3', u: 3, n: 33, again: true });
  await full.delete('6', [undefined, undefined]);
  await plain.upsert({ id: '0', pk: 0, n: 1 });
  await plain.delete('19', 1);
  if (backend.capabilities.catalog) {
    const catalog = await backend.catalog();
    await catalog.create({ id: 'ada', scope: 'users', rights: ['all'] });
    await catalog.create({ id: 'bob', scope: 'users' });
    await catalog.delete('bob', 'users');
    await catalog.close();
  }
  await full.close();
  await plain.close();
}

/** Runs a test of snapshots, or asserts that the backend refuses them; `withCopy` gives it a second, empty backend on the same clock. */
export interface SnapshotBench {
  readonly able: (work: (opened: OpenedBackend, clock: SimulatedRuntime) => Promise<void>) => Promise<void>;
  readonly withCopy: (clock: SimulatedRuntime, work: (opened: OpenedBackend) => Promise<void>) => Promise<void>;
}

/** Makes {@link SnapshotBench}. */
export function snapshotBench({ withBackend }: ConformanceContext): SnapshotBench {
  return {
    able: (work) => {
      const clock = new SimulatedRuntime({ seed: 'snapshots', startMs: START_MS });
      return withBackend(async (opened) => {
        const { backend } = opened;
        if (backend.capabilities.snapshots) {
          await work(opened, clock);
        } else {
          await checkNotSupported(() => take(backend), 'snapshots');
          await checkNotSupported(() => backend.restore([]), 'snapshots');
        }
      }, clock);
    },
    withCopy: (clock, work) => withBackend(work, clock),
  };
}
