import type { CosmosClient, CosmosClientOptions } from '@azure/cosmos';
import { PerigeeError } from '../../core/errors.ts';
import { TokenCache } from '../../store/token-cache.ts';
import type { TokenKeeper } from '../../store/token-provider.ts';
import { checkConnectionOptions, type ConnectionSettings, type CosmosConnectionOptions, type CosmosModule } from './cosmos-options.ts';
import { CosmosHttpClient } from './cosmos-http-client.ts';

/** The SDK measures requests too; Perigee's own time-outs come first, so the SDK's is as late as a timer can be. */
const SDK_TIMEOUT_MS = 0x7fffffff;

/** A client of the SDK with the transport beneath it. */
export interface ClientHandle {
  readonly client: CosmosClient;
  readonly credentials: TokenKeeper | undefined;
  /** Stops the client's timers and closes its connections. */
  dispose(): void;
}

const handles = new WeakMap<CosmosClient, ClientHandle>();

/** Loads the SDK. @throws DRIVER_MISSING */
export async function loadCosmosDriver(settings: ConnectionSettings): Promise<CosmosModule> {
  try {
    return await settings.loadDriver();
  } catch (cause) {
    throw new PerigeeError('DRIVER_MISSING', 'Cannot import "@azure/cosmos". Install it beside perigee: npm install @azure/cosmos@4.', {
      cause,
    });
  }
}

function clientOptions(settings: ConnectionSettings, transport: CosmosHttpClient): CosmosClientOptions {
  const { endpoint, key, tokenProvider, endpointDiscovery, preferredLocations } = settings;
  return {
    ...settings.clientOptions,
    endpoint,
    ...(key === undefined ? {} : { key }),
    ...(key === undefined && tokenProvider !== undefined ? { tokenProvider: () => transport.tokenOfCall() } : {}),
    httpClient: transport,
    connectionPolicy: {
      requestTimeout: SDK_TIMEOUT_MS,
      enableEndpointDiscovery: endpointDiscovery,
      enableBackgroundEndpointRefreshing: endpointDiscovery,
      enablePartitionLevelFailover: false,
      preferredLocations: [...preferredLocations],
      // The transport waits when the service throttles: it knows the caller's signal.
      retryOptions: { maxRetryAttemptCount: 0, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 0 },
    },
  };
}

/** Makes a client with the transport beneath it. `credentials` may be shared by several clients. */
export function buildClient(driver: CosmosModule, settings: ConnectionSettings, credentials: TokenKeeper | undefined): ClientHandle {
  const transport = new CosmosHttpClient(settings, credentials);
  const client = new driver.CosmosClient(clientOptions(settings, transport));
  const handle: ClientHandle = {
    client,
    credentials,
    dispose() {
      client.dispose();
      transport.close();
    },
  };
  handles.set(client, handle);
  return handle;
}

/** The tokens of a connection; `undefined` where it has a key. */
export function credentialsOf(settings: ConnectionSettings): TokenKeeper | undefined {
  const { tokenProvider, runtime } = settings;
  return tokenProvider === undefined || settings.key !== undefined
    ? undefined
    : (tokenProvider.keeper ?? new TokenCache(tokenProvider, { runtime }));
}

/** The handle of a client that {@link createCosmosClient} made. @throws INVALID_OPTION */
export function handleOf(client: CosmosClient): ClientHandle {
  const handle = handles.get(client);
  if (handle === undefined) {
    throw new PerigeeError(
      'INVALID_OPTION',
      'The client was not made by createCosmosClient: its errors would arrive without code. Make it with createCosmosClient and share that.',
    );
  }
  return handle;
}

/**
 * Makes a client of `@azure/cosmos` that several backends, and the application itself, can share.
 *
 * The client belongs to the caller. Calls of the application's own on it behave as the SDK's do, apart from retries on 429, which the SDK leaves to
 * the stores here.
 *
 * @throws INVALID_OPTION, DRIVER_MISSING
 */
export async function createCosmosClient(options: CosmosConnectionOptions): Promise<CosmosClient> {
  const settings = checkConnectionOptions(options);
  return buildClient(await loadCosmosDriver(settings), settings, credentialsOf(settings)).client;
}
