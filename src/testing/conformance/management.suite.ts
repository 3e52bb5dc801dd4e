import { sleep, systemRuntime } from '../../core/runtime.ts';
import type { Backend } from '../../store/backend.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import { check, checkEqual, checkRejects } from '../checks.ts';
import { checkNotSupported, CONTAINER, DATABASE, type ConformanceContext } from './conformance-context.ts';

const ODD_NAMES: readonly string[] = [
  'with space',
  'quote \' double " back `',
  "'; DROP TABLE x; --",
  'émoji 😀',
  '%20',
  'a.b',
  'UPPER',
  'upper',
  'x'.repeat(255),
];

async function ids(list: Promise<readonly { readonly id?: string; readonly definition?: { readonly id: string } }[]>): Promise<unknown[]> {
  return (await list).map((one) => one.id ?? one.definition?.id);
}

/** Databases and containers. */
export function managementSuite({ test, withBackend, withStore }: ConformanceContext): void {
  const managed = (work: (backend: Backend) => Promise<void>): Promise<void> =>
    withBackend(async ({ backend }) => {
      if (backend.capabilities.manageContainers) {
        await work(backend);
      } else {
        await checkNotSupported(() => backend.createDatabase('new'), 'manageContainers');
      }
    });

  test('databases are created, read, listed in creation order and deleted', () =>
    managed(async (backend) => {
      const info = await backend.createDatabase('b');
      await backend.createDatabase('a');
      await backend.createDatabase('B');
      checkEqual(await ids(backend.listDatabases()), ['b', 'a', 'B'], 'the list');
      checkEqual(await backend.readDatabase('b'), info, 'the database read');
      check(info.ts > 0 && info.rid !== '' && info.etag !== '', 'time, resource id and etag');
      check((await backend.readDatabase('c')) === undefined, 'undefined for a missing one');
      await checkRejects(backend.createDatabase('a'), 'CONFLICT', 'a second of the same id');
      await backend.deleteDatabase('b');
      await checkRejects(backend.deleteDatabase('b'), 'NOT_FOUND', 'deleting it again');
      checkEqual(await ids(backend.listDatabases()), ['a', 'B'], 'the list afterwards');
    }));

  test('containers are created, read, listed in creation order and deleted', () =>
    managed(async (backend) => {
      await backend.createDatabase(DATABASE);
      const info = await backend.createContainer(DATABASE, { id: 'b', partitionKey: '/pk' });
      await backend.createContainer(DATABASE, { id: 'a', partitionKey: ['/x', '/y'] });
      checkEqual(await ids(backend.listContainers(DATABASE)), ['b', 'a'], 'the list');
      checkEqual(await backend.readContainer(DATABASE, 'b'), info, 'the container read');
      check((await backend.readContainer(DATABASE, 'c')) === undefined, 'undefined for a missing one');
      check((await backend.readContainer('missing', 'b')) === undefined, 'undefined in a missing database');
      await checkRejects(backend.createContainer(DATABASE, { id: 'a', partitionKey: '/pk' }), 'CONFLICT', 'a second of the same id');
      await checkRejects(backend.createContainer('missing', { id: 'a', partitionKey: '/pk' }), 'NOT_FOUND', 'in a missing database');
      await checkRejects(backend.listContainers('missing'), 'NOT_FOUND', 'listing a missing database');
      await checkRejects(backend.container(DATABASE, 'missing'), 'NOT_FOUND', 'opening a missing container');
      await checkRejects(backend.container('missing', 'b'), 'NOT_FOUND', 'opening in a missing database');
      await backend.deleteContainer(DATABASE, 'b');
      await checkRejects(backend.deleteContainer(DATABASE, 'b'), 'NOT_FOUND', 'deleting it again');
      checkEqual(await ids(backend.listContainers(DATABASE)), ['a'], 'the list afterwards');
    }));

  test('a definition comes back with its defaults', () =>
    managed(async (backend) => {
      await backend.createDatabase(DATABASE);
      const full: ContainerInput = {
        id: 'full',
        partitionKey: { paths: ['/tenant', '/user'] },
        defaultTtl: 60,
        uniqueKeys: [['/email'], ['/a/b', '/c']],
        indexingPolicy: { indexingMode: 'consistent', includedPaths: [{ path: '/a/?' }], excludedPaths: [{ path: '/*' }] },
      };
      const created = await backend.createContainer(DATABASE, full);
      checkEqual(
        [created.definition.partitionKey, created.definition.defaultTtl, created.definition.uniqueKeys],
        [{ paths: ['/tenant', '/user'], version: 2, kind: 'MultiHash' }, 60, full.uniqueKeys],
        'what was given',
      );
      const plain = await backend.createContainer(DATABASE, { id: 'plain', partitionKey: '/pk' });
      checkEqual(plain.definition.indexingPolicy['automatic'], true, 'the default index policy');
      checkEqual([plain.definition.defaultTtl, plain.definition.uniqueKeys], [undefined, []], 'the other defaults');
      checkEqual((await backend.readContainer(DATABASE, 'full'))?.definition, created.definition, 'the definition read');
    }));

  test('the progress of indexes ends at 100, also when the policy changed', () =>
    managed(async (backend) => {
      if (!backend.capabilities.indexProgress) {
        await checkNotSupported(() => backend.indexProgress(DATABASE, CONTAINER), 'indexProgress');
        return;
      }
      await backend.createDatabase(DATABASE);
      const policy = (path: string): ContainerInput => ({
        id: CONTAINER,
        partitionKey: '/pk',
        indexingPolicy: { indexingMode: 'consistent', includedPaths: [{ path: '/*' }, { path }], excludedPaths: [] },
      });
      await backend.createContainer(DATABASE, policy('/a/?'));
      checkEqual(await backend.indexProgress(DATABASE, CONTAINER), 100, 'the progress of a new container');
      const store = await backend.container(DATABASE, CONTAINER);
      await store.create({ id: '1', pk: 'x', a: 1, b: 2 });
      await backend.replaceContainer(DATABASE, policy('/b/?'));
      let percent = 0;
      for (let asked = 0; percent !== 100 && asked < 1000; asked += 1) {
        await sleep(systemRuntime, 5);
        percent = await backend.indexProgress(DATABASE, CONTAINER);
        check(Number.isInteger(percent) && percent >= 0 && percent <= 100, 'a whole number of percent');
      }
      checkEqual(percent, 100, 'the progress in the end');
      await store.close();
      await checkRejects(backend.indexProgress(DATABASE, 'missing'), 'NOT_FOUND', 'of a missing container');
      await checkRejects(backend.indexProgress('missing', CONTAINER), 'NOT_FOUND', 'in a missing database');
    }));

  test('names may hold odd characters, differ by case, and mean nothing to the medium', () =>
    managed(async (backend) => {
      for (const name of ODD_NAMES) {
        await backend.createDatabase(name);
        await backend.createContainer(name, { id: name, partitionKey: '/pk' });
        const store = await backend.container(name, name);
        await store.create({ id: 'x', pk: 'p', name });
        await store.close();
      }
      for (const name of ODD_NAMES) {
        const store = await backend.container(name, name);
        checkEqual((await store.read('x', 'p'))?.document['name'], name, `the document in ${JSON.stringify(name)}`);
        await store.close();
      }
      for (const name of ['', 'a/b', 'a\\b', 'a#b', 'a?b', 'end ', 'x'.repeat(256)]) {
        await checkRejects(backend.createDatabase(name), 'INVALID_ID', `the database name ${JSON.stringify(name.slice(0, 20))}`);
        await checkRejects(backend.createContainer('a.b', { id: name, partitionKey: '/pk' }), 'INVALID_ID', 'the same as a container name');
      }
    }));

  const wrong: readonly (readonly [string, unknown])[] = [
    ['no partition key', {}],
    ['no path', { partitionKey: [] }],
    ['four paths', { partitionKey: ['/a', '/b', '/c', '/d'] }],
    ['the same path twice', { partitionKey: ['/a', '/a'] }],
    ['a path without a slash', { partitionKey: 'a' }],
    ['a path that ends with a slash', { partitionKey: '/a/' }],
    ['a wildcard in a path', { partitionKey: '/a/*' }],
    ['an empty unique key', { partitionKey: '/pk', uniqueKeys: [[]] }],
    ['a time to live of 0', { partitionKey: '/pk', defaultTtl: 0 }],
    ['a time to live of -2', { partitionKey: '/pk', defaultTtl: -2 }],
  ];
  for (const [what, definition] of wrong) {
    test(`a container with ${what} is refused`, () =>
      managed(async (backend) => {
        await backend.createDatabase(DATABASE);
        const input = { id: 'x', ...(definition as object) } as ContainerInput;
        await checkRejects(backend.createContainer(DATABASE, input), ['INVALID_CONTAINER', 'BAD_REQUEST'], what);
        checkEqual(await ids(backend.listContainers(DATABASE)), [], 'the containers');
      }));
  }

  test('replacing a container changes what may change and keeps its documents', () =>
    withStore(
      async ({ backend, store, openStore }) => {
        const before = await backend.readContainer(DATABASE, CONTAINER);
        await store.create({ id: 'x', pk: 'p', u: 1 });
        const kept = { id: CONTAINER, partitionKey: '/pk', uniqueKeys: [['/u']] };
        const after = await backend.replaceContainer(DATABASE, { ...kept, defaultTtl: 3600 });
        checkEqual([after.rid, after.definition.defaultTtl], [before?.rid, 3600], 'resource id and time to live');
        check(after.etag !== before?.etag, 'another etag');
        check((await (await openStore()).read('x', 'p')) !== undefined, 'the document to be there');
        await checkRejects(backend.replaceContainer(DATABASE, { ...kept, partitionKey: '/other' }), 'BAD_REQUEST', 'another partition key');
        await checkRejects(backend.replaceContainer(DATABASE, { ...kept, uniqueKeys: [] }), 'BAD_REQUEST', 'other unique keys');
        await checkRejects(backend.replaceContainer(DATABASE, { ...kept, id: 'missing' }), 'NOT_FOUND', 'a missing container');
      },
      { uniqueKeys: [['/u']] },
    ));

  test('of several who replace or delete a container with the same etag, one succeeds', () =>
    managed(async (backend) => {
      await backend.createDatabase(DATABASE);
      const made = await backend.createContainer(DATABASE, { id: 'a', partitionKey: '/pk' });
      const outcomesOf = async (all: readonly Promise<unknown>[]): Promise<string[]> =>
        (await Promise.allSettled(all))
          .map((one) => (one.status === 'fulfilled' ? 'done' : String((one.reason as { readonly code?: unknown }).code)))
          .toSorted((left, right) => (left < right ? -1 : 1));
      const replace = (defaultTtl: number, ifMatch: string): Promise<unknown> =>
        backend.replaceContainer(DATABASE, { id: 'a', partitionKey: '/pk', defaultTtl }, { ifMatch });
      checkEqual(
        await outcomesOf([100, 200, 300, 400].map((defaultTtl) => replace(defaultTtl, made.etag))),
        ['PRECONDITION_FAILED', 'PRECONDITION_FAILED', 'PRECONDITION_FAILED', 'done'],
        'four replacements',
      );
      await checkRejects(backend.deleteContainer(DATABASE, 'a', { ifMatch: made.etag }), 'PRECONDITION_FAILED', 'a delete by the old etag');
      await replace(500, '*');
      const now = await backend.readContainer(DATABASE, 'a');
      checkEqual(now?.definition.defaultTtl, 500, 'what was replaced whatever the etag');
      const etag = now?.etag ?? '';
      const last = await outcomesOf([replace(600, etag), backend.deleteContainer(DATABASE, 'a', { ifMatch: etag })]);
      check(
        last.includes('done') && (last.includes('PRECONDITION_FAILED') || last.includes('NOT_FOUND')),
        'one of a replacement and a delete',
      );
      const left = await backend.readContainer(DATABASE, 'a');
      check(left === undefined || left.definition.defaultTtl === 600, 'what the one that succeeded left');
    }));

  test('a container made again under its old name is empty and another one', () =>
    withStore(async ({ backend, store, openStore }) => {
      const { etag } = await store.create({ id: 'x', pk: 'p' });
      const { cursor } = await store.changes().nextPage();
      await backend.deleteContainer(DATABASE, CONTAINER);
      await checkRejects(store.read('x', 'p'), 'NOT_FOUND', 'a read in the deleted container');
      await checkRejects(store.create({ id: 'y', pk: 'p' }), 'NOT_FOUND', 'a write into the deleted container');
      await backend.createContainer(DATABASE, { id: CONTAINER, partitionKey: '/pk' });
      const again = await openStore();
      check((await again.read('x', 'p')) === undefined, 'the container to be empty');
      check(again.rid !== store.rid, 'another resource id');
      check((await again.create({ id: 'x', pk: 'p' })).etag !== etag, 'another etag for the same document');
      await checkRejects(again.changes({ from: { cursor } }).nextPage(), 'INVALID_CONTINUATION', 'a cursor of the old container');
    }));

  test('deleting a database deletes its containers and no others', () =>
    withStore(async ({ backend, store }) => {
      await backend.createDatabase('other');
      await backend.createContainer('other', { id: CONTAINER, partitionKey: '/pk' });
      const other = await backend.container('other', CONTAINER);
      await store.create({ id: 'x', pk: 'p', n: 1 });
      await other.create({ id: 'x', pk: 'p', n: 2 });
      await backend.deleteDatabase(DATABASE);
      checkEqual((await other.read('x', 'p'))?.document['n'], 2, 'the document of the other database');
      await checkRejects(store.read('x', 'p'), 'NOT_FOUND', 'the container of the deleted database');
      await backend.createDatabase(DATABASE);
      checkEqual(await backend.listContainers(DATABASE), [], 'the containers of the new database');
    }));
}
