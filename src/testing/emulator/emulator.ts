import type { Agent } from 'node:https';
import { connectionString } from '../../server/connection-string.ts';
import type { PerigeeServer } from '../../server/server-options.ts';
import type { Backend } from '../../store/backend.ts';
import type { SnapshotRecord } from '../../store/snapshot/snapshot-record.ts';
import type { EmulatorClientOptions, EmulatorOptions } from './emulator-options.ts';
import { openEmulatorBackend } from './open-emulator-backend.ts';

/** An emulator while it runs. */
interface Running {
  readonly backend: Backend;
  readonly server: PerigeeServer;
  readonly agent: Agent | undefined;
  readonly key: string;
}

/** A client that has something to free, as that of the official SDK. */
interface DisposableClient {
  readonly dispose?: (() => void) | undefined;
}

/** How long requests under way may take when a test is over; what still waits then is what no test waits for. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * A server of the Cosmos DB protocol within a test: on a free port, over a store of its own. See {@link useEmulator} and {@link startEmulator}.
 *
 * What it is asked for before it started, or after it was closed, raises a `TypeError`.
 */
export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #clients = new Map<unknown, DisposableClient>();
  readonly #otherClients: DisposableClient[] = [];
  #running: Running | undefined;
  #start: readonly SnapshotRecord[] | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(options: EmulatorOptions) {
    this.#options = options;
  }

  /** The address for clients, without a slash at the end. */
  get endpoint(): string {
    return this.server.url;
  }

  /** The master key. */
  get key(): string {
    return this.#now().key;
  }

  /** Endpoint and key as one text: `AccountEndpoint=…;AccountKey=…;`. */
  get connectionString(): string {
    return connectionString(this.endpoint, this.key);
  }

  /** Options for a client of the official SDK: `new CosmosClient(emulator.clientOptions)`. */
  get clientOptions(): EmulatorClientOptions {
    const { agent, key } = this.#now();
    return {
      endpoint: this.endpoint,
      key,
      connectionPolicy: { enableEndpointDiscovery: false },
      ...(agent === undefined ? {} : { agent }),
    };
  }

  /** What is served; for looking at it, and for writing to it, without the protocol. */
  get backend(): Backend {
    return this.#now().backend;
  }

  /** The server, for faults ({@link PerigeeServer.chaos}) and partitions. */
  get server(): PerigeeServer {
    return this.#now().server;
  }

  /** Whether there is a starting point that {@link reset} goes back to. @internal */
  get hasStartingPoint(): boolean {
    return this.#start !== undefined;
  }

  /**
   * A client of the official SDK, whose class is given; the same one each time, unless there are options. It is disposed of with the emulator.
   *
   * @param options what differs from {@link clientOptions}
   */
  client<C extends object, O>(Client: new (options: O) => C, options?: Partial<O>): C {
    const known = options === undefined ? this.#clients.get(Client) : undefined;
    if (known !== undefined) {
      return known as C;
    }
    const client = new Client({ ...this.clientOptions, ...options } as O);
    if (options === undefined) {
      this.#clients.set(Client, client);
    } else {
      this.#otherClients.push(client);
    }
    return client;
  }

  /** Makes what there is now the starting point that {@link reset} goes back to. */
  async keep(): Promise<void> {
    const records: SnapshotRecord[] = [];
    for await (const record of this.backend.snapshot()) {
      records.push(record);
    }
    this.#start = records;
  }

  /**
   * Goes back to the starting point: databases, containers, documents, users, scripts, throughput and what was spent of it, and the faults that the server was started with.
   *
   * Clients stay of use. Resource ids and etags are those of the starting point; positions and sessions go on above all that there were.
   */
  async reset(): Promise<void> {
    const { backend, server } = this.#now();
    if (this.#start === undefined) {
      throw new TypeError('The emulator has no starting point to go back to: call keep() first.');
    }
    await backend.restore(this.#start, { replace: true });
    server.refillThroughput();
    const { chaos } = this.#options.server ?? {};
    if (chaos === undefined) {
      server.chaos.clear();
    } else {
      server.chaos.replace(chaos);
    }
  }

  /** Ends clients, server and store. Closing twice is allowed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Starts serving and writes the seed. @internal */
  async start(): Promise<void> {
    const { seed, server: serverOptions = {} } = this.#options;
    // One after the other: Jest fails to link modules that two imports ask for at once.
    const { startServer } = await import('../../server/start-server.ts');
    const { WELL_KNOWN_KEY } = await import('../../server/server-options.ts');
    const backend = await openEmulatorBackend(this.#options);
    try {
      if (typeof seed === 'string' || seed instanceof URL) {
        await (await import('./restore-file.ts')).restoreFile(backend, seed);
      }
      const server = await startServer({ port: 0, closeTimeoutMs: CLOSE_TIMEOUT_MS, ...serverOptions, backend });
      // Not without TLS: given any agent, the SDK refuses an endpoint that speaks HTTP.
      const agent =
        server.certificate === undefined ? undefined : new (await import('node:https')).Agent({ keepAlive: true, ca: server.certificate });
      this.#running = { backend, server, agent, key: serverOptions.key ?? WELL_KNOWN_KEY };
      if (typeof seed === 'function') {
        await seed(this);
      }
    } catch (error) {
      await (this.#running === undefined ? backend.close() : this.close());
      throw error;
    }
  }

  #now(): Running {
    if (this.#running === undefined) {
      const why = this.#closing === undefined ? 'has not started: use it in tests and hooks, not while the file is loaded' : 'is closed';
      throw new TypeError(`The emulator ${why}.`);
    }
    return this.#running;
  }

  async #close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) {
      return;
    }
    for (const client of [...this.#clients.values(), ...this.#otherClients]) {
      client.dispose?.();
    }
    running.agent?.destroy();
    try {
      await running.server.close();
    } finally {
      await running.backend.close();
    }
  }
}
