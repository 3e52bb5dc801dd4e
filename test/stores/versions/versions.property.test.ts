import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPerigeeError } from '../../../src/core/errors.ts';
import type { Change, ChangesFrom, ChangesOptions } from '../../../src/store/changes.ts';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import { effectivePartitionKey } from '../../../src/store/effective-partition-key.ts';
import { SimulatedRuntime } from '../../../src/testing/simulated-runtime.ts';
import { definition, fileData, memorySide, PARTITION_KEY, postgresData, sharedSide, type Side } from './version-sides.ts';
import { keyOf, VersionModel, type ModelChange, type ModelStart } from './version-model.ts';

const SEED = Number(process.env['PERIGEE_SEED'] ?? 20_261_127);
const RUNS = Number(process.env['PERIGEE_RUNS'] ?? 150);
const START_MS = 1735689600250;
const MIDDLE = effectivePartitionKey(['a', 2], PARTITION_KEY);

const epkOf = ({ pk, sub }: { readonly pk: string; readonly sub: number }): string => effectivePartitionKey([pk, sub], PARTITION_KEY);

interface Scope {
  readonly options: ChangesOptions;
  readonly accepts: (document: { readonly pk: string; readonly sub: number }) => boolean;
}

const SCOPES: readonly Scope[] = [
  { options: {}, accepts: () => true },
  { options: { partitionKey: ['a', 1] }, accepts: ({ pk, sub }) => pk === 'a' && sub === 1 },
  { options: { partitionKey: ['b'] }, accepts: ({ pk }) => pk === 'b' },
  { options: { range: { min: '', max: MIDDLE } }, accepts: (document) => epkOf(document) < MIDDLE },
  { options: { range: { min: MIDDLE, max: 'FF' } }, accepts: (document) => epkOf(document) >= MIDDLE },
];

const place = { id: fc.constantFrom('x', 'y', 'z'), pk: fc.constantFrom('a', 'b'), sub: fc.constantFrom(1, 2) };
const ttl = fc.option(fc.constantFrom(-1, 1, 2, 3, 4, 20, 200), { nil: undefined, freq: 1 });
const write = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('upsert' as const, 'create' as const), ...place, ttl }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('patch' as const), ...place }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), ...place }) },
);
const start = fc.oneof(
  { weight: 6, arbitrary: fc.record({ saved: fc.nat({ max: 1000 }) }) },
  { weight: 2, arbitrary: fc.record({ agoMs: fc.constantFrom(0, 500, 1000, 59_900, 61_000, 200_000, 700_000) }) },
  { weight: 1, arbitrary: fc.constantFrom('now' as const, 'beginning' as const) },
);
const command = fc.oneof(
  { weight: 10, arbitrary: fc.record({ what: fc.constant('write' as const), operation: write }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom('batch' as const, 'transact' as const),
      operations: fc.array(write, { minLength: 1, maxLength: 4 }),
      pauseMs: fc.constantFrom(0, 1000),
      fails: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('bulk' as const), operations: fc.array(write, { minLength: 1, maxLength: 6 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.constantFrom(10, 900, 1000, 4000, 30_000, 61_000, 400_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('redefine' as const),
      defaultTtl: fc.constantFrom(undefined, -1, 2, 50),
      keptMinutes: fc.constantFrom(undefined, 1, 5, 60, 60, 60),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('read' as const),
      scope: fc.nat({ max: SCOPES.length - 1 }),
      start,
      maxItemCount: fc.constantFrom(1, 2, 5, 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('reopen' as const) }) },
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

function shown({ operation, document, previous, ts, timeToLiveExpired }: Change): ModelChange {
  const { id, pk, sub, n } = document as unknown as ModelChange;
  return {
    operation: operation as ModelChange['operation'],
    id,
    pk,
    sub,
    n,
    before: previous?.['n'] as number | undefined,
    ts,
    expired: timeToLiveExpired === true,
  };
}

async function readToEnd(store: DocumentStore, options: ChangesOptions): Promise<{ changes: Change[]; cursor: string } | undefined> {
  const changes: Change[] = [];
  let { from } = options;
  for (;;) {
    try {
      const page = await store.changes({ ...options, from, mode: 'all' }).nextPage();
      changes.push(...page.changes);
      from = { cursor: page.cursor };
      if (page.caughtUp) {
        return { changes, cursor: page.cursor };
      }
    } catch (error) {
      if (isPerigeeError(error, 'OUTSIDE_RETENTION')) {
        return undefined;
      }
      throw error;
    }
  }
}

class Run {
  readonly #runtime: SimulatedRuntime;
  readonly #model: VersionModel;
  readonly #sides: readonly Side[];
  readonly #saved: { readonly scope: number; readonly start: ModelStart }[] = [];
  #n = 0;

  constructor(runtime: SimulatedRuntime, model: VersionModel, sides: readonly Side[]) {
    this.#runtime = runtime;
    this.#model = model;
    this.#sides = sides;
  }

  async execute(one: Command): Promise<void> {
    switch (one.what) {
      case 'write':
        await this.#each((store, n) => this.#writeAlone(store, one.operation, n), [one.operation]);
        return;
      case 'bulk':
        await this.#each(async (store, n) => {
          await store.bulk(one.operations.map((operation, index) => bulkOperation(operation, n + index)));
        }, one.operations);
        return;
      case 'batch': {
        const [first] = one.operations as [Write];
        const operations = one.operations.map((operation): Write => ({ ...operation, pk: first.pk, sub: first.sub }));
        const ok = this.#wouldSucceed(operations);
        await this.#each(
          async (store, n) => {
            const { committed } = await store.batch(
              [first.pk, first.sub],
              operations.map((operation, index) => bulkOperation(operation, n + index)),
            );
            expect(committed).toBe(ok);
          },
          ok ? operations : [],
          operations.length,
        );
        return;
      }
      case 'transact': {
        const [first] = one.operations as [Write];
        const operations = one.operations.map((operation): Write => ({ ...operation, pk: first.pk, sub: first.sub }));
        await this.#transact(operations, one.fails);
        return;
      }
      case 'pass':
        await this.#runtime.advance(one.ms);
        this.#model.nowMs = this.#runtime.nowMs();
        return;
      case 'redefine':
        for (const side of this.#sides) {
          await side.backend().replaceContainer('db', definition(one.defaultTtl, one.keptMinutes));
        }
        this.#model.redefine(one.defaultTtl, one.keptMinutes);
        return;
      case 'reopen':
        for (const side of this.#sides) {
          await side.reopen();
        }
        return;
      case 'read':
        await this.read(one.scope, one.start, one.maxItemCount);
        return;
      default:
        one satisfies never;
    }
  }

  async read(scopeIndex: number, from: typeof start extends fc.Arbitrary<infer T> ? T : never, maxItemCount: number): Promise<void> {
    const isSaved = typeof from === 'object' && 'saved' in from && this.#saved.length > 0;
    const savedAt = isSaved ? from.saved % this.#saved.length : -1;
    const saved = this.#saved[savedAt];
    const index = saved?.scope ?? scopeIndex;
    const scope = SCOPES[index] as Scope;
    const modelStart: ModelStart =
      saved?.start ?? (typeof from === 'object' ? ('agoMs' in from ? { timeMs: this.#model.nowMs - from.agoMs } : 'now') : from);
    const expected = this.#model.read(modelStart, scope);
    for (const side of this.#sides) {
      const sideStart: ChangesFrom = isSaved ? { cursor: side.cursors[savedAt] as string } : (modelStart as ChangesFrom);
      const found = await readToEnd(side.next(), { ...scope.options, from: sideStart, maxItemCount });
      expect(found?.changes.map(shown), `${side.name}, scope ${index}`).toEqual(expected?.changes);
      if (found !== undefined) {
        side.cursors.push(found.cursor);
        checkVersions(found.changes);
      }
    }
    if (expected !== undefined) {
      this.#saved.push({ scope: index, start: expected.end });
    }
  }

  /** Does the same on every side, and then to the model. */
  async #each(
    work: (store: DocumentStore, n: number) => Promise<void>,
    operations: readonly Write[],
    count = operations.length,
  ): Promise<void> {
    const n = this.#n;
    this.#n += count;
    for (const side of this.#sides) {
      await work(side.next(), n);
    }
    for (const [index, operation] of operations.entries()) {
      this.#apply(operation, n + index);
    }
  }

  async #writeAlone(store: DocumentStore, operation: Write, n: number): Promise<void> {
    const { outcomes } = await store.bulk([bulkOperation(operation, n)]);
    expect(outcomes[0]?.ok).toBe(this.#succeeds(operation));
  }

  async #transact(operations: readonly Write[], fails: boolean): Promise<void> {
    const { pk, sub } = operations[0] as Write;
    const ok = operations.filter((operation) => this.#succeeds(operation)).slice(0, 1);
    await this.#each(
      async (store, n) => {
        const work = store.transact([pk, sub], async (transaction) => {
          for (const [index, operation] of ok.entries()) {
            const { id } = operation;
            const document = {
              id,
              pk,
              sub,
              n: n + index,
              ...('ttl' in operation && operation.ttl !== undefined ? { ttl: operation.ttl } : {}),
            };
            await (operation.type === 'delete'
              ? transaction.delete(id)
              : operation.type === 'patch'
                ? transaction.patch(id, [{ op: 'set', path: '/n', value: n + index }])
                : transaction.upsert(document));
          }
          if (fails) {
            throw new Error('undone');
          }
        });
        await (fails ? expect(work).rejects.toThrow('undone') : work);
      },
      fails ? [] : ok,
      ok.length,
    );
  }

  #wouldSucceed(operations: readonly Write[]): boolean {
    const present = new Set(this.#model.living().map(keyOf));
    return operations.every((operation) => {
      const key = keyOf(operation);
      const ok = operation.type === 'upsert' || present.has(key) === (operation.type !== 'create');
      if (operation.type === 'delete') {
        present.delete(key);
      } else {
        present.add(key);
      }
      return ok;
    });
  }

  #succeeds(operation: Write): boolean {
    return this.#wouldSucceed([operation]);
  }

  #apply(operation: Write, n: number): void {
    const { id, pk, sub } = operation;
    const before = this.#model.find(keyOf(operation));
    if (!this.#succeeds(operation)) {
      return;
    }
    if (operation.type === 'delete') {
      this.#model.remove(keyOf(operation));
    } else {
      this.#model.put(id, pk, sub, n, operation.type === 'patch' ? before?.ttl : operation.ttl);
    }
  }
}

function bulkOperation(operation: Write, n: number): Parameters<DocumentStore['bulk']>[0][number] {
  const { id, pk, sub } = operation;
  if (operation.type === 'delete') {
    return { type: 'delete', id, partitionKey: [pk, sub] };
  }
  if (operation.type === 'patch') {
    return { type: 'patch', id, partitionKey: [pk, sub], operations: [{ op: 'set', path: '/n', value: n }] };
  }
  return { type: operation.type, document: { id, pk, sub, n, ...(operation.ttl === undefined ? {} : { ttl: operation.ttl }) } };
}

/** Each version is the next change's version before, with its etag and its place. */
function checkVersions(changes: readonly Change[]): void {
  const latest = new Map<string, Change>();
  let position = 0;
  for (const change of changes) {
    const { document, previous, previousPosition, operation } = change;
    const key = keyOf(document as never);
    const before = latest.get(key);
    if (before !== undefined) {
      expect(previous).toEqual(before.operation === 'delete' ? undefined : before.document);
      expect(previousPosition).toBe(before.operation === 'delete' ? undefined : before.position);
    }
    expect(change.position).toBeGreaterThan(position);
    position = change.position as number;
    latest.set(key, change);
    if (operation === 'delete') {
      expect(document._etag).toBe(previous?._etag);
    }
  }
}

test.each([
  ['a file', fileData, RUNS],
  ['a PostgreSQL', postgresData, Math.ceil(RUNS / 5)],
] as const)(
  'the feed of all versions is what a simple model says, whatever happens, on memory and on %s that two share',
  { timeout: 300_000 },
  async (_, shared, numRuns) => {
    const defaultTtl = fc.constantFrom(undefined, -1, -1, 5, 50);
    const keptMinutes = fc.constantFrom(undefined, 1, 5, 60, 60, 60);
    await fc.assert(
      fc.asyncProperty(defaultTtl, keptMinutes, fc.array(command, { minLength: 20, maxLength: 80 }), async (life, kept, commands) => {
        const runtime = new SimulatedRuntime({ startMs: START_MS });
        const sides = [await memorySide(runtime, life, kept), await sharedSide(await shared(runtime), life, kept)];
        const run = new Run(runtime, new VersionModel(START_MS, life, kept), sides);
        try {
          await run.read(0, 'now', 100);
          await run.read(1, 'now', 100);
          for (const one of commands) {
            await run.execute(one);
          }
          for (let saved = 0; saved < 10; saved += 1) {
            await run.read(0, { saved }, 3);
          }
        } finally {
          await Promise.all(sides.map((side) => side.close()));
        }
      }),
      { seed: SEED, numRuns, endOnFailure: false },
    );
  },
);
