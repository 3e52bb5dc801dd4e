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
import { Admission } from './gate/admission.ts';
import { ConnectionTurns } from './gate/connection-turns.ts';
import { HostGuard } from './gate/host-guard.ts';
import { MemoryBudget } from './gate/memory-budget.ts';
import { OriginGuard } from './gate/origin-guard.ts';
import type { RequestListenerParts } from './request-listener.ts';
import { OfferBook } from './offers/offer-book.ts';
import { PartitionKeyParser } from './partition-key-parser.ts';
import { PartitionCommands } from './partitions/partition-commands.ts';
import { LayoutStore } from './partitions/layout-store.ts';
import { LinkParser } from './resource-link.ts';
import { ScriptLoader } from './scripts/script-loader.ts';
import type { ServerCertificate, ServerOptions } from './server-options.ts';
import { ThroughputLeases } from './throttle/throughput-leases.ts';
import { ThroughputLimiter } from './throttle/throughput-limiter.ts';

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

/** A server that nobody can reach yet. */
export interface PreparedServer {
  readonly parts: RequestListenerParts;
  readonly checked: CheckedOptions;
  readonly certificate: ServerCertificate | undefined;
  readonly uploads: LongUploads;
  readonly partitions: PartitionCommands;
  /** Where it is reached, once it is. */
  readonly addresses: { url: string; computeGatewayUrl: string | undefined };
  /** From now on each answer ends its connection, and none waits for a rule of chaos. */
  readonly beginClosing: () => void;
  /** Ends what runs beside requests. */
  readonly close: () => Promise<void>;
}

/**
 * Makes everything of a server but its listening.
 *
 * @throws INVALID_OPTION, DRIVER_MISSING with `telemetry`
 */
export async function prepareServer(options: ServerOptions): Promise<PreparedServer> {
  const checked = checkOptions(options);
  const { host, key, limits } = checked;
  const { backend, logger = silentLogger } = options;
  const { server: runtime, tokens: tokenRuntime } = runtimesOf(options);
  const certificate = await certificateOf(options.https, checked, runtime);
  const catalog = new ServerCatalog(backend);
  const offers = new OfferBook(backend, catalog);
  const layouts = new LayoutStore(catalog);
  const leases = backend.capabilities.multiProcess && catalog.isAvailable ? new ThroughputLeases(catalog) : undefined;
  const limiter = options.enforceThroughput === true ? new ThroughputLimiter(runtime, leases) : undefined;
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
  const admission = new Admission(checked.admission, runtime, requestTelemetry?.admission);
  const uploads = new LongUploads(limits.requestTimeoutMs);
  const partitions = new PartitionCommands(layouts, containers, runtime);
  const authenticator = new Authenticator({
    masterKey: key,
    readOnlyKey: checked.readOnlyKey,
    tokens,
    directory: verifyDirectoryToken === undefined ? undefined : new DirectoryTokens(verifyDirectoryToken),
    runtime,
  });
  const addresses: PreparedServer['addresses'] = { url: '', computeGatewayUrl: undefined };
  let closing = false;
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
      url: () => addresses.url,
      secure: certificate !== undefined,
    },
    hosts: new HostGuard(checked),
    origins: new OriginGuard(checked.corsOrigins),
    turns,
    memory: new MemoryBudget(checked.maxInFlightBytes, runtime),
    admission,
    authenticator,
    chaos,
    links: new LinkParser(),
    activityIds: new ActivityIds(runtime),
    runtime,
    maxBodyBytes: checked.maxBodyBytes,
    stallTimeoutMs: limits.requestTimeoutMs,
    isClosing: () => closing,
    telemetry: requestTelemetry,
    readiness: new Readiness({ backend, runtime, logger, isClosing: () => closing, isOverloaded: () => admission.isFull }),
    admin: {
      backend,
      chaos,
      partitions,
      clock: new AdminClock(backend.runtime, options.runtime === undefined ? [] : [options.runtime]),
      uploads,
      facts: () => ({
        ...addresses,
        crossPartitionQueries: checked.crossPartitionQueries,
        orderBy: checked.orderBy,
        partitions: checked.partitions,
        enforceThroughput: limiter !== undefined,
        requests: admission.status,
      }),
    },
    adminAccess: new AdminAccess(authenticator, key, checked.readOnlyKey),
    certificate: certificate?.cert,
  };
  return {
    parts,
    checked,
    certificate,
    uploads,
    partitions,
    addresses,
    beginClosing: () => {
      closing = true;
      chaos.close();
    },
    close: async () => {
      await scripts.close();
      await containers.close();
      await catalog.close();
    },
  };
}
