import { resolve } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import type { ChaosRules } from '../../server/chaos/chaos-rules.ts';
import type { CrossPartitionQueries, ServerOptions } from '../../server/server-options.ts';
import type { OrderByMode } from '../../store/queries.ts';
import { readText } from './read-text.ts';

/** What the command line of `perigee serve` says, as it came. */
export interface ServeOptions {
  readonly store: string;
  readonly signals?: string | undefined;
  readonly replica?: readonly string[] | undefined;
  readonly maxReplicaLag?: string | undefined;
  readonly host: string;
  readonly port: string;
  readonly computeGatewayPort?: string | undefined;
  readonly key?: string | undefined;
  readonly readOnlyKey?: string | undefined;
  readonly directoryTokens?: string | undefined;
  readonly https?: boolean | undefined;
  readonly certificateFolder?: string | undefined;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly allowedHost: readonly string[];
  readonly corsOrigin: readonly string[];
  readonly orderBy: string;
  readonly crossPartition: string;
  readonly enforceThroughput?: boolean | undefined;
  readonly partitions?: string | undefined;
  readonly restore?: string | undefined;
  readonly replace?: boolean | undefined;
  readonly chaos?: string | undefined;
  readonly telemetry?: boolean | undefined;
  readonly metrics?: string | undefined;
  readonly maxConnections?: string | undefined;
  readonly maxRequests?: string | undefined;
  readonly maxQueuedRequests?: string | undefined;
  readonly queueTimeout?: string | undefined;
  readonly closeTimeout?: string | undefined;
  readonly idleGrace?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Where `--https` keeps its certificate: one that is made anew at each start would have to be trusted anew. */
const DEFAULT_CERTIFICATE_FOLDER = '.perigee/certs';

function invalid(message: string, cause?: unknown): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message, { cause });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/u.test(text) || port > 65535) {
    throw invalid(`Cannot listen on port ${JSON.stringify(text)}: a port is a whole number from 0 to 65535; 0 takes a free one.`);
  }
  return port;
}

export function parseCount(flag: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,9}$/u.test(text)) {
    throw invalid(`Cannot serve with ${flag} ${JSON.stringify(text)}: it is a whole number.`);
  }
  return text === undefined ? undefined : Number(text);
}

function oneOf<T extends string>(flag: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found === undefined) {
    throw invalid(`Cannot serve with ${flag} ${JSON.stringify(text)}: it is ${values.slice(0, -1).join(', ')} or ${values.at(-1)}.`);
  }
  return found;
}

/** The rules in a file; the server checks them. */
function readChaosRules(path: string): ChaosRules {
  const text = readText('--chaos', path);
  try {
    return JSON.parse(text) as ChaosRules;
  } catch (error) {
    // What the parser says repeats a piece of the file.
    throw invalid(`Cannot use the chaos rules: ${JSON.stringify(path)} is not JSON.`, error);
  }
}

function httpsOf(options: ServeOptions): ServerOptions['https'] {
  const { certificate, privateKey, certificateFolder } = options;
  if ((certificate === undefined) !== (privateKey === undefined)) {
    throw invalid('Cannot serve TLS: --certificate and --private-key go together.');
  }
  if (certificate !== undefined && privateKey !== undefined) {
    if (certificateFolder !== undefined) {
      throw invalid('Cannot serve TLS with two certificates: give --certificate or --certificate-folder.');
    }
    return { cert: readText('--certificate', certificate), key: readText('--private-key', privateKey) };
  }
  const folder = certificateFolder ?? (options.https === true ? DEFAULT_CERTIFICATE_FOLDER : undefined);
  return folder === undefined ? undefined : { folder: resolve(folder) };
}

/** Translates the command line into options of the server. @throws INVALID_OPTION */
export function serverOptionsOf(options: ServeOptions, environment: NodeJS.ProcessEnv): Omit<ServerOptions, 'backend'> {
  if (options.replace === true && options.restore === undefined) {
    throw invalid('Cannot replace what the store holds: --replace goes together with --restore.');
  }
  return {
    host: options.host,
    port: parsePort(options.port),
    computeGatewayPort: options.computeGatewayPort === undefined ? undefined : parsePort(options.computeGatewayPort),
    key: options.key ?? environment['PERIGEE_KEY'],
    readOnlyKey: options.readOnlyKey ?? environment['PERIGEE_READ_ONLY_KEY'],
    directoryTokens:
      options.directoryTokens === undefined ? undefined : oneOf<'any'>('--directory-tokens', options.directoryTokens, ['any']),
    https: httpsOf(options),
    allowedHosts: options.allowedHost,
    corsOrigins: options.corsOrigin,
    orderBy: oneOf<OrderByMode>('--order-by', options.orderBy, ['strict', 'policy', 'lenient']),
    crossPartitionQueries: oneOf<CrossPartitionQueries>('--cross-partition', options.crossPartition, ['service', 'answer']),
    enforceThroughput: options.enforceThroughput,
    partitions: parseCount('--partitions', options.partitions),
    chaos: options.chaos === undefined ? undefined : readChaosRules(options.chaos),
    telemetry: options.telemetry,
    maxConnections: parseCount('--max-connections', options.maxConnections),
    maxRequests: parseCount('--max-requests', options.maxRequests),
    maxQueuedRequests: parseCount('--max-queued-requests', options.maxQueuedRequests),
    queueTimeoutMs: parseCount('--queue-timeout', options.queueTimeout),
    idleGraceMs: parseCount('--idle-grace', options.idleGrace),
    closeTimeoutMs: parseCount('--close-timeout', options.closeTimeout),
  };
}
