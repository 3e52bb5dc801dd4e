import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedStartFrom, CosmosClient, type Container } from '@azure/cosmos';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { Draw } from '../hostile/draw.ts';
import { ServedProcess, type ServedProcessOptions } from '../process/served-process.ts';
import { checkEqual, checkResource } from './answers.ts';
import { FeedFollower } from './feed-follower.ts';
import { drawItem } from './load-item.ts';
import { LoadWorker, SHARED_KEY } from './load-worker.ts';
import { MemorySamples } from './memory-samples.ts';
import { OperationCounts, type OperationFigures } from './operation-counts.ts';
import { PartitionModel } from './partition-model.ts';

const DATABASE = 'load';
const CONTAINER = 'docs';
/** Documents of a partition key; the number of keys follows. */
const PER_KEY = 250;
const SHARED = 8;

/** What {@link runLoad} runs. */
export interface LoadOptions {
  readonly seed: number;
  readonly store: 'sqlite' | 'memory';
  readonly program: ServedProcessOptions['program'];
  readonly documents: number;
  /** Clients at work at the same time. */
  readonly connections: number;
  /** For how long, or for how many operations altogether. */
  readonly until: { readonly seconds: number } | { readonly operations: number };
  readonly onProgress?: (progress: string) => void;
}

/** What a load found; everything was right where there is one. */
export interface LoadResult {
  readonly documents: number;
  readonly loadMs: number;
  readonly elapsedMs: number;
  readonly operations: number;
  readonly figures: Readonly<Record<string, OperationFigures>>;
  /** Refusals that were asked for, by status. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly changes: number;
  /** Resident memory of the server in bytes while the clients worked, and when it had just loaded its documents. */
  readonly memory: { readonly first: number; readonly last: number; readonly peak: number; readonly quarters: readonly number[] };
}

/** A client for each worker, each with connections and sessions of its own. */
function clientOf(url: string): CosmosClient {
  return new CosmosClient({
    endpoint: url,
    key: WELL_KNOWN_KEY,
    connectionPolicy: { retryOptions: { maxRetryAttemptCount: 0, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 1 } },
  });
}

async function createContainer(client: CosmosClient): Promise<Container> {
  const { database } = await client.databases.create({ id: DATABASE });
  const { container } = await database.containers.create({
    id: CONTAINER,
    partitionKey: { paths: ['/pk'] },
    indexingPolicy: { includedPaths: ['worker', 'n', 'kind'].map((path) => ({ path: `/${path}/?` })), excludedPaths: [{ path: '/*' }] },
  });
  return container;
}

/** Raises unless the container holds what all models say, and nothing else. */
async function checkAll(
  container: Container,
  partitions: readonly PartitionModel[],
  workers: readonly LoadWorker[],
  sharedIds: readonly string[],
): Promise<number> {
  for (const { key, items } of partitions) {
    const { resources } = await container.items.query<{ id: string }>('SELECT * FROM c', { partitionKey: key }).fetchAll();
    const found = new Map(resources.map((resource) => [resource.id, resource]));
    checkEqual(`number of documents of ${key}`, [resources.length, found.size], [items.length, items.length]);
    for (const item of items) {
      checkResource(found.get(item.id), item);
    }
  }
  for (const id of sharedIds) {
    const added = workers.reduce((sum, worker) => sum + (worker.added.get(id) ?? 0), 0);
    checkEqual('what all clients have added', (await container.item(id, SHARED_KEY).read<{ n: number }>()).resource?.n, added);
  }
  const expected = partitions.reduce((sum, { size }) => sum + size, 0) + sharedIds.length;
  const { resources } = await container.items.query<number>('SELECT VALUE COUNT(1) FROM c').fetchAll();
  checkEqual('number of all documents', resources, [expected]);
  return expected;
}

/** Raises unless the feed has given the last version of every document that was written while it was followed. */
function checkFeed(follower: FeedFollower, partitions: readonly PartitionModel[], etagsBefore: ReadonlyMap<string, string>): void {
  for (const partition of partitions) {
    for (const { id } of partition.items) {
      const key = `${partition.key}|${id}`;
      const etag = partition.get(id)?.etag;
      if (etag !== etagsBefore.get(key) && follower.etags.get(key) !== etag) {
        throw new Error(`The change feed gave the version ${follower.etags.get(key)} of ${key}, and there is ${etag}.`);
      }
    }
  }
}

/**
 * Lets clients of the official SDK work on a server in a process of its own, each in chance order, and compares every answer with a model; at the
 * end everything that is stored, and the change feed.
 *
 * @throws Error that says which client did what, and what was wrong
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { seed, connections, documents, until, onProgress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'perigee-load-'));
  const server = new ServedProcess({
    store: options.store === 'memory' ? 'memory' : `sqlite:${join(folder, 'server.sqlite')}`,
    program: options.program,
  });
  const clients: CosmosClient[] = [];
  try {
    const url = await server.url();
    const containerOf = (): Container => {
      const client = clientOf(url);
      clients.push(client);
      return client.database(DATABASE).container(CONTAINER);
    };
    const container = containerOf();
    await createContainer(clients[0] as CosmosClient);
    const sharedIds = Array.from({ length: SHARED }, (_, index) => `shared-${index}`);
    const draw = new Draw(seed);
    for (const id of sharedIds) {
      await container.items.create({ ...drawItem(draw, id, SHARED_KEY, -1, 0), n: 0 });
    }
    const perWorker = Math.ceil(documents / connections);
    const keys = Math.max(1, Math.round(perWorker / PER_KEY));
    const counts = new OperationCounts();
    const partitions: PartitionModel[] = [];
    const workers = Array.from({ length: connections }, (_, number) => {
      const own = Array.from({ length: keys }, (_unused, key) => new PartitionModel(`w${number}k${key}`));
      partitions.push(...own);
      return new LoadWorker({
        number,
        container: containerOf(),
        partitions: own,
        sharedIds,
        draw: new Draw(`${seed}-${number}`),
        counts,
      });
    });
    const loadStartMs = performance.now();
    await Promise.all(workers.map((worker) => worker.fill(Math.ceil(perWorker / keys))));
    const loadMs = performance.now() - loadStartMs;
    onProgress?.(`${partitions.reduce((sum, { size }) => sum + size, 0)} documents loaded in ${(loadMs / 1000).toFixed(1)} s`);

    const etagsBefore = new Map(partitions.flatMap((one) => one.items.map(({ id }) => [`${one.key}|${id}`, one.get(id)?.etag as string])));
    const follower = new FeedFollower(containerOf(), ChangeFeedStartFrom.Now());
    await follower.next();
    const memory = new MemorySamples(server);
    const startMs = performance.now();
    let failure: unknown;
    let working = workers.length;
    const goOn = (): boolean =>
      failure === undefined && ('seconds' in until ? performance.now() - startMs < until.seconds * 1000 : counts.total < until.operations);
    const guarded = async (work: Promise<void>): Promise<void> => {
      await work.catch((error: unknown) => {
        failure ??= error;
      });
      working -= 1;
    };
    const following = async (): Promise<void> => {
      while (working > 0 && failure === undefined) {
        const found = await follower.next();
        onProgress?.(`${counts.total} operations, ${(server.residentBytes() / 1e6).toFixed(0)} MB`);
        await new Promise((resolve) => setTimeout(resolve, found ? 20 : 100));
      }
    };
    await Promise.all([
      ...workers.map((worker) => guarded(worker.run(goOn))),
      following().catch((error: unknown) => {
        failure ??= error;
      }),
    ]);
    const elapsedMs = performance.now() - startMs;
    memory.stop();
    if (failure !== undefined) {
      throw failure;
    }
    await follower.drain();
    checkFeed(follower, partitions, etagsBefore);
    const held = await checkAll(container, partitions, workers, sharedIds);
    checkEqual('exit code of the server', await server.stop(), 0);
    checkEqual('what the server told its operator', server.stderr, '');
    return {
      documents: held,
      loadMs,
      elapsedMs,
      operations: counts.total,
      figures: counts.figures(),
      refusals: Object.fromEntries(counts.refusals),
      changes: follower.changes,
      memory: { first: memory.first, last: memory.last, peak: memory.peak, quarters: memory.quarters },
    };
  } finally {
    for (const client of clients) {
      client.dispose();
    }
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
