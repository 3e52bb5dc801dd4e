import type { Container, OperationInput } from '@azure/cosmos';
import { checkEqual, checkFirstTry, checkItem, checkResource, refusalOf } from './answers.ts';
import { drawItem, type LoadItem } from './load-item.ts';
import { checkQueries } from './load-queries.ts';
import type { LoadWorkerOptions } from './load-worker-options.ts';
import type { HeldItem, PartitionModel } from './partition-model.ts';

/** Documents that all workers write. */
export const SHARED_KEY = 'shared';

/** The server's answer to one operation of a batch. */
interface BatchOutcome {
  readonly statusCode: number;
  readonly eTag?: string;
  readonly resourceBody?: unknown;
}

/**
 * One client that does what applications do, in chance order, and compares every answer with its model. It alone writes its partition keys, so that
 * it knows what they hold; some documents are shared with all others.
 */
export class LoadWorker {
  readonly #options: LoadWorkerOptions;
  readonly #operations: readonly (readonly [name: string, weight: number, run: () => Promise<void>])[];
  /** What this worker has added to each shared document. */
  readonly added: Map<string, number> = new Map<string, number>();

  constructor(options: LoadWorkerOptions) {
    this.#options = options;
    this.#operations = [
      ['read', 30, () => this.#read()],
      ['read of nothing', 3, () => this.#readNothing()],
      ['read if changed', 3, () => this.#readIfChanged()],
      ['create', 8, () => this.#create()],
      ['create again', 2, () => this.#createAgain()],
      ['upsert', 8, () => this.#upsert()],
      ['replace', 6, () => this.#replace()],
      ['replace a stale one', 2, () => this.#replaceStale()],
      ['patch', 6, () => this.#patch()],
      ['patch of a shared one', 3, () => this.#patchShared()],
      ['delete', 7, () => this.#delete()],
      ['delete of nothing', 1, () => this.#deleteNothing()],
      ['batch', 4, () => this.#batch()],
      ['batch that fails', 2, () => this.#failingBatch()],
      ['bulk', 1, () => this.#bulk()],
    ];
  }

  get number(): number {
    return this.#options.number;
  }

  /** Does one thing after the other while `goOn` says so. */
  async run(goOn: () => boolean): Promise<void> {
    const { draw, counts } = this.#options;
    const all = [...this.#operations, ...checkQueries(this.#options)];
    const total = all.reduce((sum, [, weight]) => sum + weight, 0);
    while (goOn()) {
      let left = draw.below(total * 1000) / 1000;
      const [name, , run] = all.find(([, weight]) => (left -= weight) < 0) as (typeof all)[number];
      try {
        await counts.timed(name, run);
      } catch (cause) {
        throw new Error(`Client ${this.number}, ${name}: ${(cause as Error).message}`, { cause });
      }
    }
  }

  /** Creates documents until each partition key has `each` of them. */
  async fill(each: number): Promise<void> {
    for (const partition of this.#options.partitions) {
      while (partition.size < each) {
        await this.#bulkCreate(partition, Math.min(100, each - partition.size));
      }
    }
  }

  get #partition(): PartitionModel {
    return this.#options.draw.pick(this.#options.partitions);
  }

  #drawItem(partition: PartitionModel, id: string, revision: number): LoadItem {
    return drawItem(this.#options.draw, id, partition.key, this.number, revision);
  }

  /** A document that is there, made for the purpose where the partition key is empty. */
  async #some(): Promise<{ readonly partition: PartitionModel; readonly held: HeldItem }> {
    const partition = this.#partition;
    if (partition.size === 0) {
      await this.#createIn(partition);
    }
    return { partition, held: partition.pick(this.#options.draw) as HeldItem };
  }

  #item({ item }: HeldItem): ReturnType<Container['item']> {
    return this.#options.container.item(item.id, item.pk);
  }

  async #read(): Promise<void> {
    const { held } = await this.#some();
    const answer = await this.#item(held).read();
    checkEqual('etag', checkItem(answer, 200, held.item), held.etag);
    checkEqual('etag in the header', answer.etag, held.etag);
  }

  async #readNothing(): Promise<void> {
    const { statusCode, resource } = await this.#options.container.item('no-such-document', this.#partition.key).read();
    checkEqual('read of nothing', [statusCode, resource], [404, undefined]);
    this.#options.counts.refused(404);
  }

  async #readIfChanged(): Promise<void> {
    const { held } = await this.#some();
    const answer = await this.#item(held).read({ accessCondition: { type: 'IfNoneMatch', condition: held.etag } });
    checkEqual('status of a document that has not changed', answer.statusCode, 304);
    this.#options.counts.refused(304);
  }

  async #createIn(partition: PartitionModel): Promise<void> {
    const item = this.#drawItem(partition, partition.nextId(), 0);
    partition.set(item, checkItem(await this.#options.container.items.create(item), 201, item));
  }

  #create(): Promise<void> {
    return this.#createIn(this.#partition);
  }

  async #createAgain(): Promise<void> {
    const { partition, held } = await this.#some();
    const again = this.#drawItem(partition, held.item.id, 99);
    this.#options.counts.refused(await refusalOf(this.#options.container.items.create(again), 409));
  }

  async #upsert(): Promise<void> {
    const { partition, held } = await this.#some();
    const isNew = this.#options.draw.chance(0.3);
    const item = this.#drawItem(partition, isNew ? partition.nextId() : held.item.id, isNew ? 0 : held.item.revision + 1);
    partition.set(item, checkItem(await this.#options.container.items.upsert(item), isNew ? 201 : 200, item));
  }

  async #replace(): Promise<void> {
    const { partition, held } = await this.#some();
    const item = this.#drawItem(partition, held.item.id, held.item.revision + 1);
    const answer = await this.#item(held).replace(item, { accessCondition: { type: 'IfMatch', condition: held.etag } });
    const etag = checkItem(answer, 200, item);
    if (etag === held.etag) {
      throw new Error('A document was replaced and kept its etag.');
    }
    partition.set(item, etag);
  }

  async #replaceStale(): Promise<void> {
    const { partition, held } = await this.#some();
    const item = this.#drawItem(partition, held.item.id, 99);
    const other = partition.pick(this.#options.draw) as HeldItem;
    const condition = other.item.id === held.item.id ? '"00000000-0000-0000-0000-000000000000"' : other.etag;
    this.#options.counts.refused(await refusalOf(this.#item(held).replace(item, { accessCondition: { type: 'IfMatch', condition } }), 412));
  }

  async #patch(): Promise<void> {
    const { partition, held } = await this.#some();
    const by = 1 + this.#options.draw.below(5);
    const x = this.#options.draw.below(360);
    const answer = await this.#item(held).patch([
      { op: 'incr', path: '/revision', value: by },
      { op: 'set', path: '/place/x', value: x },
      { op: 'add', path: '/tags/-', value: 'patched' },
      { op: 'remove', path: '/tags/0' },
    ]);
    const { item } = held;
    const now = { ...item, revision: item.revision + by, place: { ...item.place, x }, tags: [...item.tags.slice(1), 'patched'] };
    partition.set(now, checkItem(answer, 200, now));
  }

  async #patchShared(): Promise<void> {
    const id = this.#options.draw.pick(this.#options.sharedIds);
    const by = 1 + this.#options.draw.below(9);
    const { statusCode } = await this.#options.container.item(id, SHARED_KEY).patch([{ op: 'incr', path: '/n', value: by }]);
    checkEqual('status of a patch', statusCode, 200);
    this.added.set(id, (this.added.get(id) ?? 0) + by);
  }

  async #delete(): Promise<void> {
    const { partition, held } = await this.#some();
    const condition = this.#options.draw.chance(0.5) ? { accessCondition: { type: 'IfMatch' as const, condition: held.etag } } : {};
    const { statusCode, diagnostics } = await this.#item(held).delete(condition);
    checkEqual('status of a delete', statusCode, 204);
    checkFirstTry(diagnostics);
    partition.delete(held.item.id);
  }

  async #deleteNothing(): Promise<void> {
    this.#options.counts.refused(await refusalOf(this.#options.container.item('no-such-document', this.#partition.key).delete(), 404));
  }

  async #runBatch(partition: PartitionModel, operations: readonly OperationInput[]): Promise<readonly BatchOutcome[]> {
    const answer = await this.#options.container.items.batch(Array.from(operations), partition.key);
    return answer.result as readonly BatchOutcome[];
  }

  async #batch(): Promise<void> {
    const { partition, held } = await this.#some();
    const made = Array.from({ length: 1 + this.#options.draw.below(8) }, () => this.#drawItem(partition, partition.nextId(), 0));
    const changed = this.#drawItem(partition, held.item.id, held.item.revision + 1);
    const outcomes = await this.#runBatch(partition, [
      { operationType: 'Read', id: held.item.id },
      ...made.map((item) => ({ operationType: 'Create' as const, resourceBody: { ...item, tags: Array.from(item.tags) } })),
      { operationType: 'Replace', id: changed.id, resourceBody: { ...changed, tags: Array.from(changed.tags) }, ifMatch: held.etag },
    ]);
    checkEqual(
      'statuses of a batch',
      outcomes.map(({ statusCode }) => statusCode),
      [200, ...made.map(() => 201), 200],
    );
    checkResource((outcomes[0] as BatchOutcome).resourceBody, held.item);
    for (const [index, item] of [...made, changed].entries()) {
      const { eTag, resourceBody } = outcomes[index + 1] as BatchOutcome;
      checkEqual('etag of an operation', checkResource(resourceBody, item), eTag);
      partition.set(item, eTag as string);
    }
  }

  async #failingBatch(): Promise<void> {
    const { partition, held } = await this.#some();
    const item = this.#drawItem(partition, `${partition.key}-never`, 0);
    const resourceBody = { ...item, tags: Array.from(item.tags) };
    const outcomes = await this.#runBatch(partition, [
      { operationType: 'Upsert', resourceBody },
      { operationType: 'Create', resourceBody: { ...resourceBody, id: held.item.id } },
      { operationType: 'Delete', id: held.item.id },
    ]);
    checkEqual(
      'statuses of a batch that fails',
      outcomes.map(({ statusCode }) => statusCode),
      [424, 409, 424],
    );
    const { statusCode } = await this.#options.container.item(item.id, item.pk).read();
    checkEqual('what a batch that failed has left', statusCode, 404);
    this.#options.counts.refused(409);
  }

  #bulk(): Promise<void> {
    return this.#bulkCreate(this.#partition, 20);
  }

  async #bulkCreate(partition: PartitionModel, count: number): Promise<void> {
    const made = Array.from({ length: count }, () => this.#drawItem(partition, partition.nextId(), 0));
    const results = await this.#options.container.items.executeBulkOperations(
      made.map((item) => ({
        operationType: 'Create' as const,
        partitionKey: partition.key,
        resourceBody: { ...item, tags: Array.from(item.tags) },
      })),
    );
    for (const [index, item] of made.entries()) {
      const response = results[index]?.response;
      checkEqual('status of an operation in bulk', response?.statusCode, 201);
      partition.set(item, checkResource(response?.resourceBody, item));
    }
  }
}
