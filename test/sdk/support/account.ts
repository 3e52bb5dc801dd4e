import { Agent } from 'node:https';
import { CosmosClient, type Container, type ContainerRequest, type CosmosClientOptions, type Database } from '@azure/cosmos';
import type { Logger } from '../../../src/core/logger.ts';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer, type ServerOptions } from '../../../src/server/index.ts';
import type { Backend } from '../../../src/store/backend.ts';
import { sourceThread } from '../../server/scripts/source-thread.ts';
import { sign } from '../../server/sign.ts';
import type { StoreName } from './store-names.ts';
import { createStore, type StoreUnderTest } from './stores.ts';

/** Shows what the server tells only its operator, so that a failing test says why. */
const logger: Logger = {
  log(level, message, fields) {
    if (level === 'error') {
      console.error(message, fields);
    }
  },
};

/** A request as raw as it goes. */
export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly key?: string;
  /** Sent as it is instead of a signature; `null` sends none. */
  readonly authorization?: string | null;
}

/** Answer to a {@link RawRequest}; the body is `undefined` where there is none. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

let databaseCount = 0;

/** An account of its own: a server on a free port over a fresh store, and clients of it. */
export class Account {
  readonly store: StoreName;
  readonly #store: StoreUnderTest;
  readonly #options: Partial<ServerOptions>;
  readonly #clients: CosmosClient[] = [];
  #backend: Backend | undefined;
  #server: PerigeeServer | undefined;
  #client: CosmosClient | undefined;
  #agent: Agent | undefined;

  private constructor(store: StoreName, options: Partial<ServerOptions>) {
    this.store = store;
    this.#store = createStore(store);
    this.#options = options;
  }

  static async open(store: StoreName, options: Partial<ServerOptions> = {}, runtime?: ServerOptions['runtime']): Promise<Account> {
    const account = new Account(store, options);
    account.#backend = await account.#store.open(runtime);
    await account.#start();
    return account;
  }

  get server(): PerigeeServer {
    return this.#server as PerigeeServer;
  }

  get backend(): Backend {
    return this.#backend as Backend;
  }

  get key(): string {
    return this.#options.key ?? WELL_KNOWN_KEY;
  }

  /** The client that most tests use. */
  get client(): CosmosClient {
    this.#client ??= this.connect();
    return this.#client;
  }

  /** A client of its own. */
  connect(options: Partial<CosmosClientOptions> = {}): CosmosClient {
    const hasCredential = ['key', 'resourceTokens', 'permissionFeed', 'tokenProvider', 'aadCredentials'].some((name) => name in options);
    const { certificate, url } = this.server;
    const agent = certificate === undefined ? {} : { agent: this.#trusting(certificate) };
    const client = new CosmosClient({ endpoint: url, ...(hasCredential ? {} : { key: this.key }), ...agent, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A database of its own. */
  async database(client: CosmosClient = this.client): Promise<Database> {
    databaseCount += 1;
    return (await client.databases.create({ id: `database-${databaseCount}` })).database;
  }

  /** A container with the partition key `/pk`, or as given, in a database of its own. */
  async container(definition: Partial<ContainerRequest> = {}, client: CosmosClient = this.client): Promise<Container> {
    const database = await this.database(client);
    return (await database.containers.create({ id: 'items', partitionKey: { paths: ['/pk'], version: 2 }, ...definition })).container;
  }

  /** The same container as another client sees it. */
  as(client: CosmosClient, container: Container): Container {
    return client.database(container.database.id).container(container.id);
  }

  /** A signed request without the SDK, for what it hides or does not send. */
  async send(method: string, path: string, { headers = {}, body, key = this.key, authorization }: RawRequest = {}): Promise<RawAnswer> {
    const date = new Date().toUTCString();
    const signature = authorization === undefined ? sign(method, path, date, key) : authorization;
    const response = await fetch(this.server.url + path, {
      method,
      headers: { 'x-ms-date': date, ...(signature === null ? {} : { authorization: signature }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** Stops the server and its store and starts both again; clients have to connect anew, for the port is another. */
  async restart(): Promise<void> {
    await this.#stop();
    this.#backend = await this.#store.reopen(this.backend);
    await this.#start();
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.backend.close();
    await this.#store.remove();
  }

  async #start(): Promise<void> {
    const scripts = { createThread: sourceThread, ...this.#options.scripts };
    this.#server = await startServer({ backend: this.backend, port: 0, logger, ...this.#options, scripts });
  }

  #trusting(certificate: string): Agent {
    this.#agent ??= new Agent({ ca: certificate, keepAlive: true });
    return this.#agent;
  }

  async #stop(): Promise<void> {
    this.#agent?.destroy();
    this.#agent = undefined;
    for (const client of this.#clients.splice(0)) {
      client.dispose();
    }
    this.#client = undefined;
    await this.server.close();
  }
}
