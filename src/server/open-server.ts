import type { Server } from 'node:http';
import { silentLogger } from '../core/logger.ts';
import { systemRuntime, type Runtime } from '../core/runtime.ts';
import { ShiftableRuntime } from '../core/shiftable-runtime.ts';
import { ActivityIds } from './activity-ids.ts';
import { Authenticator } from './access/authenticator.ts';
import { acceptAnyDirectoryToken, DirectoryTokens } from './access/directory-tokens.ts';
import { ResourceTokens } from './access/resource-tokens.ts';
import { AdminAccess } from './admin/admin-access.ts';
import { AdminClock } from './admin/admin-clock.ts';
import { LongUploads } from './admin/long-uploads.ts';
import { Readiness } from './admin/readiness.ts';
import { ServerCatalog } from './catalog/server-catalog.ts';
import { ChaosEngine } from './chaos/chaos-engine.ts';
import { checkOptions, type CheckedOptions } from './check-options.ts';
import { ContainerRegistry } from './container-registry.ts';
import { ConnectionTurns } from './gate/connection-turns.ts';
import { HostGuard } from './gate/host-guard.ts';
import { MemoryBudget } from './gate/memory-budget.ts';
import { OriginGuard } from './gate/origin-guard.ts';
import type { Gateway } from './gate/routing-gateway.ts';
import { createHttpServer, listen, stop } from './http-listener.ts';
import { createRequestListener, type RequestListenerParts } from './request-listener.ts';
import { OfferBook } from './offers/offer-book.ts';
import { PartitionKeyParser } from './partition-key-parser.ts';
import { PartitionCommands } from './partitions/partition-commands.ts';
import { LayoutStore } from './partitions/layout-store.ts';
import { LinkParser } from './resource-link.ts';
import { ScriptLoader } from './scripts/script-loader.ts';
import type { PerigeeServer, ServerCertificate, ServerOptions } from './server-options.ts';
import { ThroughputLimiter } from './throttle/throughput-limiter.ts';

/** A gateway that takes requests. */
interface Listening {
  readonly server: Server;
  readonly port: number;
}

/** How many requests may wait for their answers on one connection. */
const MAX_WAITING_REQUESTS = 64;

async function certificateOf(
  https: ServerOptions['https'],
  { host, allowedHosts }: CheckedOptions,
  runtime: Runtime,
): Promise<ServerCertificate | undefined> {
  if (https === undefined || https === false) {
    return undefined;
  }
  if (typeof https === 'object' && 'cert' in https) {
    return https;
  }
  const { certificateNames, makeCertificate } = await import('./tls-certificate.ts');
  const names = certificateNames(host, allowedHosts);
  return https === true
    ? makeCertificate(names, runtime)
    : (await import('./kept-certificate.ts')).keptCertificate(https.folder, names, runtime);
}

/**
 * Clocks of a server. Dates that clients sign are those of their own clocks, so one that is moved does not count for them; tokens end by the time that
 * documents have.
 */
function runtimesOf({ runtime, backend }: ServerOptions): { readonly server: Runtime; readonly tokens: Runtime } {
  const tokens = runtime ?? (backend.runtime instanceof ShiftableRuntime ? backend.runtime : systemRuntime);
  return { server: tokens instanceof ShiftableRuntime ? tokens.base : tokens, tokens };
}

/** The host of the endpoint: an address that stands for all is reached through loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') {
    return '127.0.0.1';
  }
  const name = host === '::' ? '::1' : host;
  return name.includes(':') ? `[${name}]` : name;
}

/**
 * Starts a server without what answers most requests: that is loaded with the first of them, or by `loadHandlers`.
 *
 * @throws PORT_IN_USE, INVALID_OPTION, DRIVER_MISSING with `telemetry`
 */
export async function openServer(options: ServerOptions): Promise<PerigeeServer> {
  const checked = checkOptions(options);
  const { host, port, key, limits } = checked;
  const { backend, logger = silentLogger } = options;
  const { server: runtime, tokens: tokenRuntime } = runtimesOf(options);
  const certificate = await certificateOf(options.https, checked, runtime);
  const catalog = new ServerCatalog(backend);
  const offers = new OfferBook(backend, catalog);
  const layouts = new LayoutStore(catalog);
  const limiter = options.enforceThroughput === true ? new ThroughputLimiter(runtime) : undefined;
  const containers = new ContainerRegistry(backend, runtime, logger, { layouts, offers: limiter === undefined ? undefined : offers });
  const tokens = new ResourceTokens(key, tokenRuntime);
  const scripts = new ScriptLoader(options.scripts, runtime);
  const { directoryTokens } = options;
  const verifyDirectoryToken = directoryTokens === 'any' ? acceptAnyDirectoryToken(() => runtime.nowMs()) : directoryTokens;
  const { telemetry } = options;
  const requestTelemetry =
    telemetry === undefined || telemetry === false
      ? undefined
      : await (
          await import('./telemetry/open-telemetry.ts')
        ).openTelemetry(telemetry === true ? {} : telemetry, { runtime, secure: certificate !== undefined, host });
  const chaos = new ChaosEngine(runtime, options.chaos);
  const turns = new ConnectionTurns(MAX_WAITING_REQUESTS);
  const uploads = new LongUploads(limits.requestTimeoutMs);
  const partitions = new PartitionCommands(layouts, containers, runtime);
  const authenticator = new Authenticator({
    masterKey: key,
    readOnlyKey: checked.readOnlyKey,
    tokens,
    directory: verifyDirectoryToken === undefined ? undefined : new DirectoryTokens(verifyDirectoryToken),
    runtime,
  });
  let url = '';
  let computeGatewayUrl: string | undefined;
  let closing: Promise<void> | undefined;
  const parts: RequestListenerParts = {
    server: {
      backend,
      runtime,
      containers,
      catalog,
      offers,
      layouts,
      tokens,
      scripts,
      keys: new PartitionKeyParser(),
      limiter,
      partitions: checked.partitions,
      logger,
      crossPartitionQueries: checked.crossPartitionQueries,
      orderBy: checked.orderBy,
      url: () => url,
      secure: certificate !== undefined,
    },
    hosts: new HostGuard(checked),
    origins: new OriginGuard(checked.corsOrigins),
    turns,
    memory: new MemoryBudget(checked.maxInFlightBytes, runtime),
    authenticator,
    chaos,
    links: new LinkParser(),
    activityIds: new ActivityIds(runtime),
    runtime,
    maxBodyBytes: checked.maxBodyBytes,
    stallTimeoutMs: limits.requestTimeoutMs,
    isClosing: () => closing !== undefined,
    telemetry: requestTelemetry,
    readiness: new Readiness({ backend, runtime, logger, isClosing: () => closing !== undefined }),
    admin: {
      backend,
      chaos,
      partitions,
      clock: new AdminClock(backend.runtime, options.runtime === undefined ? [] : [options.runtime]),
      uploads,
      facts: () => ({
        url,
        computeGatewayUrl,
        crossPartitionQueries: checked.crossPartitionQueries,
        orderBy: checked.orderBy,
        partitions: checked.partitions,
        enforceThroughput: limiter !== undefined,
      }),
    },
    adminAccess: new AdminAccess(authenticator, key, checked.readOnlyKey),
    certificate: certificate?.cert,
  };
  const gateways: Listening[] = [];
  const open = async (gateway: Gateway, onPort: number): Promise<string> => {
    const server = await createHttpServer({
      listener: createRequestListener(parts, gateway),
      turns,
      limits,
      certificate,
      uploads,
      runtime,
      logger,
    });
    const actualPort = await listen(server, host, onPort);
    gateways.push({ server, port: actualPort });
    return `${certificate === undefined ? 'http' : 'https'}://${urlHost(host)}:${actualPort}`;
  };
  const close = async (): Promise<void> => {
    chaos.close();
    await Promise.all(
      gateways.map(({ server }) => stop(server, runtime, { timeoutMs: checked.closeTimeoutMs, idleGraceMs: checked.idleGraceMs })),
    );
    await scripts.close();
    await containers.close();
    await catalog.close();
  };
  try {
    url = await open(checked.computeGatewayPort === undefined ? 'compute' : 'routing', port);
    computeGatewayUrl = checked.computeGatewayPort === undefined ? undefined : await open('compute', checked.computeGatewayPort);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    port: (gateways[0] as Listening).port,
    computeGatewayUrl,
    certificate: certificate?.cert,
    partitions,
    chaos,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
