import { CosmosClient, type Container } from '@azure/cosmos';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { ServedProcess, type ServedProcessOptions } from '../process/served-process.ts';

const DATABASE = 'kill';
const CONTAINER = 'docs';

/** What a write was answered, or that its answer never came because the server was killed. */
export type Answer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'lost' };

/** One server process, from its start to its death, and the clients that work on it. */
export class ServerLife {
  readonly process: ServedProcess;
  readonly #clients: CosmosClient[] = [];
  readonly #abort = new AbortController();
  readonly #over: Promise<void>;
  #markOver: () => void = () => undefined;
  isOver = false;

  constructor(options: ServedProcessOptions) {
    this.process = new ServedProcess(options);
    this.#over = new Promise((resolve) => {
      this.#markOver = resolve;
    });
  }

  /** Aborts with the death of the server. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async client(): Promise<CosmosClient> {
    const client = new CosmosClient({
      endpoint: await this.process.url(),
      key: WELL_KNOWN_KEY,
      connectionPolicy: { enableEndpointDiscovery: false },
    });
    this.#clients.push(client);
    return client;
  }

  /** The container of the test, by a client of its own. */
  async container(): Promise<Container> {
    return (await this.client()).database(DATABASE).container(CONTAINER);
  }

  /** Sends something, and does not wait for an answer that can no longer come: the SDK would try for ten seconds more. */
  async send<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    const answer: Promise<Answer<T>> = work(this.signal).then(
      (value) => ({ kind: 'answered', value }),
      (error: unknown) => (this.isOver ? { kind: 'lost' } : { kind: 'refused', error }),
    );
    return Promise.race([answer, this.#over.then((): Answer<T> => ({ kind: 'lost' }))]);
  }

  /** Ends the process with SIGKILL. */
  async kill(): Promise<void> {
    this.isOver = true;
    await this.process.kill();
    this.#markOver();
    this.#abort.abort();
    for (const client of this.#clients) {
      client.dispose();
    }
  }
}

/** Makes the database and the container of the test. */
export async function createKillContainer(client: CosmosClient, retentionMinutes: number): Promise<Container> {
  const { database } = await client.databases.create({ id: DATABASE });
  const { container } = await database.containers.create({
    id: CONTAINER,
    partitionKey: { paths: ['/pk'] },
    changeFeedPolicy: { retentionDuration: retentionMinutes },
  });
  return container;
}
