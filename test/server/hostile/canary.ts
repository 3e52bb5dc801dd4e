import { CosmosClient, type Container } from '@azure/cosmos';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';

/** How long the canary may be silent before the server counts as hanging. */
const PATIENCE_MS = 30_000;

/** A client that means well: works through the official SDK all the time, and must always get right answers. */
export class Canary {
  readonly #client: CosmosClient;
  #running = true;
  #song: Promise<void> = Promise.resolve();
  #problem: Error | undefined;
  songs = 0;

  constructor(port: number) {
    this.#client = new CosmosClient({
      endpoint: `http://127.0.0.1:${port}`,
      key: WELL_KNOWN_KEY,
      connectionPolicy: { enableEndpointDiscovery: false, requestTimeout: PATIENCE_MS, retryOptions: { maxRetryAttemptCount: 0 } as never },
    });
  }

  /** What went wrong first, if anything did. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  async start(): Promise<void> {
    const { database } = await this.#client.databases.createIfNotExists({ id: 'canary' });
    const { container } = await database.containers.createIfNotExists({ id: 'songs', partitionKey: '/bird' });
    this.#song = this.#sing(container).catch((error: Error) => {
      this.#problem = error;
    });
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#song;
    this.#client.dispose();
  }

  async #sing(container: Container): Promise<void> {
    while (this.#running) {
      const song = { id: 'song', bird: 'canary', verse: this.songs };
      await container.items.upsert(song);
      const { resource } = await container.item('song', 'canary').read<typeof song>();
      const { resources } = await container.items
        .query<number>({ query: 'SELECT VALUE c.verse FROM c WHERE c.bird = @bird', parameters: [{ name: '@bird', value: 'canary' }] })
        .fetchAll();
      if (resource?.verse !== this.songs || resources.length !== 1 || resources[0] !== this.songs) {
        throw new Error(`The canary sang verse ${this.songs} and heard ${resource?.verse} and ${JSON.stringify(resources)}.`);
      }
      this.songs += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
