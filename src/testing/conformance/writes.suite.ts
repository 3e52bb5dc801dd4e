import { check, checkEqual, checkRejects } from '../checks.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { StandardResult } from '../../store/standard-schema.ts';
import { checkContent, CONTAINER, DATABASE, settleAll, withoutSystem, type ConformanceContext } from './conformance-context.ts';

type Conditional = 'upsert' | 'replace' | 'patch' | 'delete';

function run(store: DocumentStore, type: Conditional, ifMatch: string | undefined): Promise<unknown> {
  switch (type) {
    case 'upsert':
    case 'replace':
      return store[type]({ id: 'x', pk: 'p', n: 2 }, { ifMatch });
    case 'patch':
      return store.patch('x', 'p', [{ op: 'set', path: '/n', value: 2 }], { ifMatch });
    default:
      return store.delete('x', 'p', { ifMatch });
  }
}

const CONDITIONALS: readonly Conditional[] = ['upsert', 'replace', 'patch', 'delete'];

/** Create, upsert, replace, delete, and conditions by etag. */
export function writesSuite(context: ConformanceContext): void {
  const { test, withStore } = context;

  test('create creates and nothing else', () =>
    withStore(async ({ store }) => {
      const first = await store.create({ id: 'x', pk: 'p', n: 1 });
      check(first.created, 'created to be true');
      await checkRejects(store.create({ id: 'x', pk: 'p', n: 2 }), 'CONFLICT', 'a second create');
      const other = await store.create({ id: 'x', pk: 'q', n: 3 });
      check(other.document._rid !== first.document._rid, 'two documents to have two _rids');
      checkEqual((await store.read('x', 'p'))?.document['n'], 1, 'the first document');
    }));

  test('upsert creates, then replaces the whole document', () =>
    withStore(async ({ store }) => {
      const first = await store.upsert({ id: 'x', pk: 'p', a: 1 });
      const second = await store.upsert({ id: 'x', pk: 'p', b: 2 });
      checkEqual([first.created, second.created], [true, false], 'created of both');
      checkEqual(withoutSystem((await store.read('x', 'p'))?.document), { id: 'x', pk: 'p', b: 2 }, 'the document');
    }));

  test('replace replaces the whole document and needs one', () =>
    withStore(async ({ store }) => {
      await checkRejects(store.replace({ id: 'x', pk: 'p' }), 'NOT_FOUND', 'replace of nothing');
      await store.create({ id: 'x', pk: 'p', a: 1 });
      const result = await store.replace({ id: 'x', pk: 'p', b: 2 });
      checkEqual([result.created, withoutSystem(result.document)], [false, { id: 'x', pk: 'p', b: 2 }], 'the result');
      await checkRejects(store.replace({ id: 'x', pk: 'other' }), 'NOT_FOUND', 'replace under another partition key');
    }));

  test('delete deletes one document and needs one', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'x', pk: 'p' });
      await store.create({ id: 'x', pk: 'q' });
      await store.delete('x', 'p');
      check((await store.read('x', 'p')) === undefined, 'the document to be gone');
      check((await store.read('x', 'q')) !== undefined, 'its namesake under another partition key to stay');
      await checkRejects(store.delete('x', 'p'), 'NOT_FOUND', 'a second delete');
      await checkContent(store, [{ id: 'x', pk: 'q' }], 'the documents');
    }));

  test('a document created again after a delete is a new one: another etag, another _rid', () =>
    withStore(async ({ store }) => {
      const first = await store.create({ id: 'x', pk: 'p' });
      await store.delete('x', 'p');
      const second = await store.create({ id: 'x', pk: 'p' });
      check(first.etag !== second.etag, 'another etag');
      check(first.document._rid !== second.document._rid, 'another _rid');
      await checkRejects(
        store.replace({ id: 'x', pk: 'p' }, { ifMatch: first.etag }),
        'PRECONDITION_FAILED',
        'a replace with the old etag',
      );
    }));

  test('every write gives a new etag, never one that was there before', () =>
    withStore(async ({ store }) => {
      const etags = new Set<string>();
      for (let round = 0; round < 20; round += 1) {
        etags.add((await store.upsert({ id: 'x', pk: 'p' })).etag);
        etags.add((await store.patch('x', 'p', [{ op: 'set', path: '/n', value: 1 }])).etag);
        if (round % 5 === 0) {
          await store.delete('x', 'p');
        }
      }
      checkEqual(etags.size, 40, 'different etags of 40 writes');
    }));

  test('results carry charge and, where the backend has them, rising positions', () =>
    withStore(async ({ store }) => {
      const created = await store.create({ id: 'x', pk: 'p' });
      const replaced = await store.replace({ id: 'x', pk: 'p', n: 1 });
      const deleted = await store.delete('x', 'p');
      for (const result of [created, replaced, deleted]) {
        check(Number.isFinite(result.requestUnits) && result.requestUnits > 0, 'a positive charge');
      }
      const positions = [created.position, replaced.position, deleted.position];
      if (store.capabilities.positions) {
        const numbers = positions.map(Number);
        check(
          numbers.every((value, index) => Number.isInteger(value) && value > (numbers[index - 1] ?? 0)),
          'rising whole numbers',
        );
      } else {
        const known = positions.filter((position) => position !== undefined);
        check(
          known.every((position, index) => position > (known[index - 1] ?? 0)),
          'positions that are told all the same rise',
        );
      }
    }));

  schemaSuite(context);
  ifMatchSuite(context);
  raceSuite(context);
}

function schemaSuite({ test, withStore }: ConformanceContext): void {
  test('a store opened with a schema refuses documents that do not satisfy it, wherever they are written', () =>
    withStore(async ({ backend, store }) => {
      const validate = async (value: unknown): Promise<StandardResult> =>
        typeof (value as { n?: unknown }).n === 'number' ? {} : { issues: [{ message: 'n is a number', path: ['n'] }] };
      const checked = await backend.container(DATABASE, CONTAINER, { schema: { '~standard': { version: 1, vendor: 'test', validate } } });
      const good = { id: 'good', pk: 'p', n: 1 };
      const bad = { id: 'bad', pk: 'p', n: 'one' };
      const error = await checkRejects(checked.create(bad), 'VALIDATION_FAILED', 'create');
      checkEqual(error.details['issues'], [{ message: 'n is a number', path: ['n'] }], 'the issues');
      await checkRejects(checked.upsert(bad), 'VALIDATION_FAILED', 'upsert');
      await checkRejects(checked.replace(bad), 'VALIDATION_FAILED', 'replace');
      await checkRejects(checked.batch('p', [{ type: 'create', document: bad }]), 'VALIDATION_FAILED', 'batch');
      const bulk = await checked.bulk([
        { type: 'create', document: bad },
        { type: 'create', document: good },
      ]);
      checkEqual(
        bulk.outcomes.map((outcome) => outcome.ok || outcome.error.code),
        ['VALIDATION_FAILED', true],
        'bulk',
      );
      if (checked.capabilities.transact) {
        await checkRejects(
          checked.transact('p', (transaction) => transaction.create(bad)),
          'VALIDATION_FAILED',
          'transact',
        );
      }
      await checkContent(store, [good], 'the documents');
    }));
}

function ifMatchSuite({ test, withStore }: ConformanceContext): void {
  for (const type of CONDITIONALS) {
    const existing: readonly (readonly [string, (etag: string, stale: string) => string | undefined, ErrorCode | undefined])[] = [
      ['the current etag', (etag) => etag, undefined],
      ['*', () => '*', undefined],
      ['no ifMatch', () => undefined, undefined],
      ['an etag of before', (_etag, stale) => stale, 'PRECONDITION_FAILED'],
      ['an etag that never was', () => '"never"', 'PRECONDITION_FAILED'],
    ];
    for (const [what, ifMatch, code] of existing) {
      test(`${type} with ${what} on a document ${code === undefined ? 'succeeds' : 'is refused'}`, () =>
        withStore(async ({ store }) => {
          const stale = (await store.create({ id: 'x', pk: 'p', n: 0 })).etag;
          const etag = (await store.replace({ id: 'x', pk: 'p', n: 1 })).etag;
          const call = run(store, type, ifMatch(etag, stale));
          if (code === undefined) {
            await call;
          } else {
            await checkRejects(call, code, type);
          }
          const left = code === undefined ? (type === 'delete' ? undefined : 2) : 1;
          checkEqual((await store.read('x', 'p'))?.document['n'], left, 'the value afterwards');
        }));
    }
    for (const ifMatch of ['*', '"never"', undefined]) {
      test(`${type} with ${ifMatch ?? 'no ifMatch'} on nothing ${type === 'upsert' ? 'creates' : 'is refused as not found'}`, () =>
        withStore(async ({ store }) => {
          if (type === 'upsert') {
            await run(store, type, ifMatch);
            checkEqual((await store.read('x', 'p'))?.document['n'], 2, 'the value afterwards');
          } else {
            await checkRejects(run(store, type, ifMatch), 'NOT_FOUND', type);
            check((await store.read('x', 'p')) === undefined, 'still nothing');
          }
        }));
    }
  }
}

function raceSuite({ test, withStore }: ConformanceContext): void {
  for (const type of CONDITIONALS) {
    test(`of concurrent ${type} calls with one etag exactly one succeeds`, () =>
      withStore(async ({ store, openStore }) => {
        const { etag } = await store.create({ id: 'x', pk: 'p', n: 1 });
        const second = await openStore();
        const results = await settleAll(Array.from({ length: 10 }, (_, index) => run(index % 2 === 0 ? store : second, type, etag)));
        const lost = results.filter((result) => result.status === 'rejected');
        // An upsert that comes after another's delete cannot be here: all calls are of one type.
        checkEqual(lost.length, 9, 'calls that lost');
        for (const result of lost) {
          await checkRejects(
            Promise.reject(result.reason as Error),
            type === 'delete' ? ['PRECONDITION_FAILED', 'NOT_FOUND'] : 'PRECONDITION_FAILED',
            'a loser',
          );
        }
      }));
  }

  test('of concurrent creates exactly one succeeds', () =>
    withStore(async ({ store, openStore }) => {
      const second = await openStore();
      const results = await settleAll(
        Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : second).create({ id: 'x', pk: 'p', index })),
      );
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      checkEqual(won.length, 1, 'creates that succeeded');
      checkEqual((await store.read('x', 'p'))?.document, won[0]?.document, 'the document is the winner’s');
    }));

  test('of concurrent upserts exactly one creates, and none is lost', () =>
    withStore(async ({ store }) => {
      const results = await Promise.all(Array.from({ length: 10 }, (_, index) => store.upsert({ id: 'x', pk: 'p', index })));
      checkEqual(results.filter((result) => result.created).length, 1, 'upserts that created');
      checkEqual(new Set(results.map((result) => result.etag)).size, 10, 'different etags');
    }));

  test('concurrent increments add up', () =>
    withStore(async ({ store, openStore }) => {
      const second = await openStore();
      await store.create({ id: 'x', pk: 'p', n: 0 });
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? store : second).patch('x', 'p', [{ op: 'incr', path: '/n', value: 1 }]),
        ),
      );
      checkEqual((await store.read('x', 'p'))?.document['n'], 20, 'the sum');
    }));

  test('a loop of read and replace with ifMatch loses no update of concurrent writers', () =>
    withStore(async ({ store }) => {
      await store.create({ id: 'x', pk: 'p', n: 0 });
      const add = async (): Promise<void> => {
        for (;;) {
          const found = await store.read('x', 'p');
          const next = { id: 'x', pk: 'p', n: Number(found?.document['n']) + 1 };
          const [result] = await settleAll([store.replace(next, { ifMatch: found?.etag })]);
          if (result?.status === 'fulfilled') {
            return;
          }
          await checkRejects(Promise.reject(result?.reason as Error), 'PRECONDITION_FAILED', 'a replace that lost');
        }
      };
      await Promise.all(Array.from({ length: 8 }, add));
      checkEqual((await store.read('x', 'p'))?.document['n'], 8, 'the sum');
    }));
}
