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
/** How long an answer may take, on a machine that has much else to do. */
const PATIENCE_MS = 45_000;

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
  readonly #onStall: (problem: string) => void;
  /** Whoever waits for an answer. They are told of the end one by one: what waits for one promise is kept as long as that. */
  readonly #waiting = new Set<() => void>();
  readonly #clients: CosmosClient[] = [];
  isOver = false;

  constructor(options: ServedProcessOptions, onStall: (problem: string) => void) {
    this.#onStall = onStall;
    // Every client of the run has a request under way.
    setMaxListeners(0, this.#abort.signal);
    this.process = new ServedProcess(options);
  }

  /** Waits until the gateway listens, and goes on with a new client: one whose look-up of partition key ranges has failed keeps that answer for ever. */
  async ready(): Promise<void> {
    this.#clients.push(
      new CosmosClient({
        endpoint: await this.process.url(),
        key: WELL_KNOWN_KEY,
        connectionPolicy: { enableEndpointDiscovery: false },
      }),
    );
  }

  get client(): CosmosClient {
    const client = this.#clients.at(-1);
    if (client === undefined) {
      throw new Error('The gateway is not ready yet.');
    }
    return client;
  }

  /** Sends something, and does not wait for an answer that can no longer come: the SDK would try for ten seconds more. */
  async send<T>(container: string, work: (container: Container, signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    if (this.isOver) {
      return { kind: 'unsent', error: new Error('the gateway is not there') };
    }
    const opened = this.client.database(DATABASE).container(container);
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
      const timer = setTimeout(() => {
        this.#onStall(`A gateway has not answered a request to ${container} for ${PATIENCE_MS / 1000} s: ${work.toString().slice(0, 200)}`);
        giveUp();
      }, PATIENCE_MS);
      void answer.then((come) => {
        clearTimeout(timer);
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
    for (const client of this.#clients) {
      client.dispose();
    }
  }
}

/** A durable PostgreSQL in a folder and two gateways that stand on it; each of them can be killed, and comes back. */
export class GatewayCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'perigee-gateways-'));
  readonly #program: ServedProcessOptions['program'];
  readonly gateways: Gateway[] = [];
  /** Requests that were not answered for long, whatever the reason. */
  readonly stalls: string[] = [];
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
    return new Gateway({ store: this.connectionString, program: this.#program }, (problem) => this.stalls.push(problem));
  }
}
