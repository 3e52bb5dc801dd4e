import type { Agent } from 'node:https';
import type { Runtime } from '../../core/runtime.ts';
import type { ServerOptions } from '../../server/server-options.ts';
import type { Backend } from '../../store/backend.ts';
import type { Emulator } from './emulator.ts';

/** What an emulator serves, and what it begins with. */
export interface EmulatorOptions {
  /**
   * Where documents are: `memory` (the default), `sqlite` for SQLite in memory, or a function that opens a backend, which the emulator closes. `sqlite`
   * needs the package `better-sqlite3`.
   */
  readonly store?: 'memory' | 'sqlite' | (() => Backend | Promise<Backend>) | undefined;
  /** What there is at the start: the path of a file that `writeSnapshot` or `perigee snapshot` wrote, or a function that writes it. Nothing unless said otherwise. */
  readonly seed?: string | URL | ((emulator: Emulator) => Promise<void> | void) | undefined;
  /** Clock of the documents, such as a `SimulatedRuntime` for tests of time to live; the host's unless said otherwise. Not with a `store` of your own. */
  readonly runtime?: Runtime | undefined;
  /** Further options of the server. It listens on a free port of the loopback, and ends requests under way after a second, unless they say otherwise. */
  readonly server?: Omit<ServerOptions, 'backend'> | undefined;
}

/** The hooks of a test runner: `beforeAll` and `afterAll` of Vitest and Jest, `before` and `after` of `node:test` and Mocha. */
export interface EmulatorHooks {
  readonly beforeAll?: ((hook: () => Promise<void>, timeoutMs?: number) => unknown) | undefined;
  readonly before?: ((hook: () => Promise<void>) => unknown) | undefined;
  readonly afterAll?: ((hook: () => Promise<void>) => unknown) | undefined;
  readonly after?: ((hook: () => Promise<void>) => unknown) | undefined;
  readonly beforeEach?: ((hook: () => Promise<void>) => unknown) | undefined;
}

/** How a test file uses an emulator. */
export interface UseEmulatorOptions extends EmulatorOptions {
  /** The hooks of the runner, where it does not offer them as globals. */
  readonly hooks?: EmulatorHooks | undefined;
  /** Whether each test begins with the starting point; `true` unless said otherwise. Tests that run at the same time share what there is: `false` for those. */
  readonly reset?: boolean | undefined;
}

/** Options with which the official SDK's client reaches an emulator. */
export interface EmulatorClientOptions {
  readonly endpoint: string;
  readonly key: string;
  readonly connectionPolicy: { readonly enableEndpointDiscovery: boolean };
  /** Trusts the certificate of an emulator with TLS; there only. It ends with the emulator. */
  readonly agent?: Agent;
}
