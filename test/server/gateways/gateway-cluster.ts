import { setMaxListeners } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient, type Container } from '@azure/cosmos';
import pg from 'pg';
import { WELL_KNOWN_KEY } from '../../../src/server/index.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { ServedProcess, type ServedProcessOptions } from '../process/served-process.ts';

export const DATABASE = 'soak';

/** What became of a request: an answer, an error that the server answered with, nothing that says anything; or it was not sent at all. */
export type Answer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: number; readonly error: unknown }
  | { readonly kind: 'unknown'; readonly error: unknown }
  | { readonly kind: 'unsent'; readonly error: unknown };

/** One gateway process, from its start to its death. */
export class Gateway {
  readonly process: ServedProcess;
  readonly #abort = new AbortController();
  /** Whoever waits for an answer. They are told of the end one by one: what waits for one promise is kept as long as that. */
  readonly #waiting = new Set<() => void>();
  #client: CosmosClient | undefined;
  isOver = false;

  constructor(options: ServedProcessOptions) {
    // Every client of the run has a request under way.
    setMaxListeners(0, this.#abort.signal);
    this.process = new ServedProcess(options);
  }

  async ready(): Promise<void> {
    this.#client = new CosmosClient({
      endpoint: await this.process.url(),
      key: WELL_KNOWN_KEY,
      connectionPolicy: { enableEndpointDiscovery: false },
    });
  }

  get client(): CosmosClient {
    if (this.#client === undefined) {
      throw new Error('The gateway is not ready yet.');
    }
    return this.#client;
  }

  /** Sends something, and does not wait for an answer that can no longer come: the SDK would try for ten seconds more. */
  async send<T>(container: string, work: (container: Container, signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    if (this.isOver || this.#client === undefined) {
      return { kind: 'unsent', error: new Error('the gateway is not there') };
    }
    const opened = this.#client.database(DATABASE).container(container);
    const answer = work(opened, this.#abort.signal).then(
      (value): Answer<T> => ({ kind: 'answered', value }),
      (error: unknown): Answer<T> => {
        const { code } = error as { readonly code?: unknown };
        return typeof code === 'number' ? { kind: 'refused', status: code, error } : { kind: 'unknown', error };
      },
    );
    return new Promise((resolve) => {
      const giveUp = (): void => resolve({ kind: 'unknown', error: new Error('the gateway was killed') });
      this.#waiting.add(giveUp);
      void answer.then((come) => {
        this.#waiting.delete(giveUp);
        resolve(come);
      });
    });
  }

  async kill(): Promise<void> {
    this.isOver = true;
    await this.process.kill();
    for (const giveUp of this.#waiting) {
      giveUp();
    }
    this.#abort.abort();
    this.#client?.dispose();
  }
}

/** A durable PostgreSQL in a folder and two gateways that stand on it; each of them can be killed, and comes back. */
export class GatewayCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'perigee-gateways-'));
  readonly #program: ServedProcessOptions['program'];
  readonly gateways: Gateway[] = [];
  #postgres: EmbeddedPostgres | undefined;

  constructor(program: ServedProcessOptions['program']) {
    this.#program = program;
    // As root the server runs as another user, who has to get in.
    chmodSync(this.#folder, 0o711);
  }

  get connectionString(): string {
    return (this.#postgres as EmbeddedPostgres).connectionString;
  }

  async start(): Promise<void> {
    this.#postgres = await startEmbeddedPostgres({ folder: join(this.#folder, 'postgres') });
    const gateways = [this.#gateway(), this.#gateway()];
    this.gateways.push(...gateways);
    await Promise.all(gateways.map((gateway) => gateway.ready()));
  }

  /** Kills PostgreSQL with all its processes, and starts it again on the same folder and port. */
  async crashPostgres(): Promise<void> {
    const postgres = this.#postgres as EmbeddedPostgres;
    await postgres.kill();
    await postgres.stop();
    this.#postgres = await startEmbeddedPostgres({ folder: join(this.#folder, 'postgres'), port: postgres.port });
  }

  /** Kills a gateway, and puts a new one in its place. */
  async crashGateway(index: number): Promise<void> {
    await this.gateways[index]?.kill();
    const gateway = this.#gateway();
    await gateway.ready();
    this.gateways[index] = gateway;
  }

  /** A connection to the database past the gateways. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.connectionString, application_name: 'soak' });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.kill()));
    await this.#postgres?.stop({ mode: 'immediate' });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #gateway(): Gateway {
    return new Gateway({ store: this.connectionString, program: this.#program });
  }
}
