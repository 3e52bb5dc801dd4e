import type { Agent } from 'node:http';
import type * as Cosmos from '@azure/cosmos';
import type { CosmosClient, CosmosClientOptions } from '@azure/cosmos';
import { PerigeeError } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { systemRuntime, type Runtime } from '../../core/runtime.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { ContainerInput } from '../../store/container-definition.ts';
import type { Exchange } from './http-exchange.ts';
import type { TokenProvider } from '../../store/token-provider.ts';

/** The module `@azure/cosmos`. */
export type CosmosModule = typeof Cosmos;

/** How to reach an account. One of `key`, `tokenProvider` and `clientOptions` with credentials of their own must be given. */
export interface CosmosConnectionOptions {
  /** Such as `https://account.documents.azure.com:443/` or `http://127.0.0.1:8081`. */
  readonly endpoint: string;
  /** Account key, read-only key, or a shared access signature. */
  readonly key?: string | undefined;
  /** Gives a token for each container, partition key and mode. */
  readonly tokenProvider?: TokenProvider | undefined;
  /** Time for name, connection and TLS, in milliseconds; 5,000 unless said otherwise. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for one request with its answer, in milliseconds; 30,000 unless said otherwise. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long one call waits altogether when the service throttles, in milliseconds; 30,000 unless said otherwise, 0 not at all. */
  readonly maxThrottleWaitMs?: number | undefined;
  /**
   * Follows the account to the regions it names: one request before the first call and every five minutes, and a retry in another region. Off unless
   * said otherwise: every request goes to `endpoint`.
   */
  readonly endpointDiscovery?: boolean | undefined;
  /** Regions to read from, nearest first; only with `endpointDiscovery`. */
  readonly preferredLocations?: readonly string[] | undefined;
  /** Agent for all connections, which the caller owns; for a proxy, or a certificate authority of one's own. */
  readonly agent?: Agent | undefined;
  /** Further options of the SDK's client, such as `aadCredentials` or `userAgentSuffix`. */
  readonly clientOptions?:
    | Omit<CosmosClientOptions, 'endpoint' | 'key' | 'tokenProvider' | 'httpClient' | 'agent' | 'connectionPolicy'>
    | undefined;
  /** Sends one request and reads the whole answer: over sockets, unless said otherwise. @internal for simulations */
  readonly exchange?: Exchange | undefined;
  /** Loads the SDK: `() => import('@azure/cosmos')` unless said otherwise. */
  readonly loadDriver?: (() => Promise<CosmosModule>) | undefined;
  readonly runtime?: Runtime | undefined;
  readonly logger?: Logger | undefined;
}

/** A container whose definition is known, so that opening it sends nothing: for tokens that permit one partition key only. */
export interface KnownContainer {
  readonly databaseId: string;
  readonly definition: ContainerInput;
  /** Resource id, where it is known: with it, a cursor of an earlier container of the same name is refused. */
  readonly rid?: string | undefined;
}

/** What may be told about the service behind the endpoint, where it is not Azure's own. */
export type CosmosCapabilities = Partial<
  Pick<
    StoreCapabilities,
    'durability' | 'patchMove' | 'manageContainers' | 'runtimeClock' | 'propertyOrder' | 'crossPartitionQuery' | 'positions'
  >
>;

/** Settings of {@link openCosmosBackend}. */
export interface CosmosBackendOptions extends CosmosConnectionOptions {
  /** All stores use one client. Otherwise each has its own, and shares with no other the SDK's caches. */
  readonly sharedClient?: boolean | undefined;
  /** A client made by {@link createCosmosClient}, which the caller owns and disposes of; implies `sharedClient`. */
  readonly client?: CosmosClient | undefined;
  /** Requests under way at once for one `readMany` or `bulk`; 16 unless said otherwise. */
  readonly maxConcurrency?: number | undefined;
  readonly containers?: readonly KnownContainer[] | undefined;
  readonly capabilities?: CosmosCapabilities | undefined;
}

/** {@link CosmosConnectionOptions} checked, with the defaults filled in. */
export interface ConnectionSettings {
  readonly endpoint: string;
  readonly key: string | undefined;
  readonly tokenProvider: TokenProvider | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxThrottleWaitMs: number;
  readonly endpointDiscovery: boolean;
  readonly preferredLocations: readonly string[];
  readonly agent: Agent | undefined;
  readonly exchange: Exchange | undefined;
  readonly clientOptions: NonNullable<CosmosConnectionOptions['clientOptions']>;
  readonly loadDriver: () => Promise<CosmosModule>;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

const MAX_TIMEOUT_MS = 0x7fffffff;

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message);
}

function duration(name: string, value: number | undefined, fallback: number, least: number): number {
  const checked = value ?? fallback;
  if (typeof checked !== 'number' || !(checked >= least && checked <= MAX_TIMEOUT_MS)) {
    throw invalid(`${name} is a number of milliseconds from ${least} to ${MAX_TIMEOUT_MS}.`);
  }
  return checked;
}

/** Checks a whole number from 1. */
export function checkConcurrency(value: number | undefined): number {
  const checked = value ?? 16;
  if (!Number.isInteger(checked) || checked < 1) {
    throw invalid('maxConcurrency is a whole number from 1.');
  }
  return checked;
}

function checkEndpoint(endpoint: unknown): string {
  const url = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid('endpoint is an http or https URL, such as https://account.documents.azure.com:443/.');
  }
  return endpoint as string;
}

function checkKey(key: unknown): void {
  if (typeof key !== 'string' || !(key.startsWith('type=sas&') || /^[A-Za-z0-9+/]{4,}={0,2}$/u.test(key))) {
    throw invalid('key is an account key in base64, or a shared access signature.');
  }
}

/** Checks the options of a connection. @throws INVALID_OPTION */
export function checkConnectionOptions(options: CosmosConnectionOptions): ConnectionSettings {
  const clientOptions = options.clientOptions ?? {};
  if (options.key !== undefined) {
    checkKey(options.key);
  } else if (
    options.tokenProvider === undefined &&
    clientOptions.aadCredentials === undefined &&
    clientOptions.resourceTokens === undefined &&
    clientOptions.permissionFeed === undefined
  ) {
    throw invalid('A Cosmos backend needs a credential: give key, tokenProvider, or clientOptions with one of the SDK.');
  }
  return {
    endpoint: checkEndpoint(options.endpoint),
    key: options.key,
    tokenProvider: options.tokenProvider,
    connectTimeoutMs: duration('connectTimeoutMs', options.connectTimeoutMs, 5000, 1),
    requestTimeoutMs: duration('requestTimeoutMs', options.requestTimeoutMs, 30_000, 1),
    maxThrottleWaitMs: duration('maxThrottleWaitMs', options.maxThrottleWaitMs, 30_000, 0),
    endpointDiscovery: options.endpointDiscovery ?? false,
    preferredLocations: options.preferredLocations ?? [],
    agent: options.agent,
    exchange: options.exchange,
    clientOptions,
    loadDriver: options.loadDriver ?? (() => import('@azure/cosmos')),
    runtime: options.runtime ?? systemRuntime,
    logger: options.logger ?? silentLogger,
  };
}
