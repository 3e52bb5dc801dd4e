import { PerigeeError } from '../core/errors.ts';
import type { OrderByMode } from '../store/queries.ts';
import type { AdmissionLimits } from './gate/admission.ts';
import { isAllowedHostEntry, isLoopbackName } from './gate/host-guard.ts';
import { isOrigin } from './gate/origin-guard.ts';
import type { ConnectionLimits } from './http-listener.ts';
import { MAX_PARTITIONS } from './partitions/partition-layout.ts';
import { checkScriptOptions } from './scripts/script-options.ts';
import { WELL_KNOWN_KEY, type CrossPartitionQueries, type ServerOptions } from './server-options.ts';

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message);
}

/** Options with their defaults. */
export interface CheckedOptions {
  readonly port: number;
  readonly computeGatewayPort: number | undefined;
  readonly host: string;
  /** Whether the host is reached from this machine only. */
  readonly isLoopback: boolean;
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly key: Uint8Array;
  readonly readOnlyKey: Uint8Array | undefined;
  readonly partitions: number;
  readonly maxBodyBytes: number;
  readonly maxInFlightBytes: number;
  readonly limits: ConnectionLimits;
  readonly admission: AdmissionLimits;
  readonly closeTimeoutMs: number;
  readonly idleGraceMs: number;
  readonly orderBy: OrderByMode;
  readonly crossPartitionQueries: CrossPartitionQueries;
}

const DEFAULT_PORT = 8081;
/** A document or a batch of 2 MB, and what a batch puts around 100 documents. */
const DEFAULT_MAX_BODY_BYTES = (2048 + 256) * 1024;
const DEFAULT_MAX_IN_FLIGHT_BYTES = 128 * 1024 * 1024;
const DEFAULT_MAX_CONNECTIONS = 2000;
/** A store in this process is as fast with fewer, and PostgreSQL has ten connections. */
const DEFAULT_MAX_REQUESTS = 256;
/** As many as there are connections: unless somebody says otherwise, only waiting ends in a refusal. */
const DEFAULT_MAX_QUEUED_REQUESTS = 2000;
const DEFAULT_QUEUE_TIMEOUT_MS = 10_000;
const DEFAULT_HEADERS_TIMEOUT_MS = 30_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 120_000;
const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;

/** Checks which names and pages are let in. */
function checkVisitors(allowedHosts: readonly string[], corsOrigins: readonly string[], key: string): void {
  for (const name of allowedHosts) {
    if (!isAllowedHostEntry(name)) {
      throw invalid(`allowedHosts holds ${JSON.stringify(name)}: it takes names and addresses without a port, and *.name.`);
    }
  }
  for (const origin of corsOrigins) {
    if (origin === '*' && key === WELL_KNOWN_KEY) {
      throw invalid('Cannot let in pages of every origin with the well-known key: any page could read and write. Give a key of your own.');
    }
    if (origin !== '*' && !isOrigin(origin)) {
      throw invalid(`corsOrigins holds ${JSON.stringify(origin)}: it takes origins such as "http://localhost:3000", and "*".`);
    }
  }
}

function decodeKey(key: string, what: string): Uint8Array {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length === 0 || bytes.toString('base64').replaceAll('=', '') !== key.replaceAll('=', '')) {
    throw invalid(`Cannot use the ${what} key: it is not base64.`);
  }
  return bytes;
}

/** A whole number from 1 to what a timer of the host can hold. */
function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 0x7fffffff) {
    throw invalid(`${name} is a whole number from 1 to ${0x7fffffff}.`);
  }
  return value;
}

function checkLimits(options: ServerOptions): ConnectionLimits {
  const requestTimeoutMs = positive('requestTimeoutMs', options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
  return {
    maxConnections: positive('maxConnections', options.maxConnections ?? DEFAULT_MAX_CONNECTIONS),
    // The headers are part of the request.
    headersTimeoutMs: Math.min(positive('headersTimeoutMs', options.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS), requestTimeoutMs),
    requestTimeoutMs,
  };
}

function checkAdmission(options: ServerOptions): AdmissionLimits {
  const { maxQueuedRequests = DEFAULT_MAX_QUEUED_REQUESTS } = options;
  if (!Number.isInteger(maxQueuedRequests) || maxQueuedRequests < 0) {
    throw invalid('maxQueuedRequests is a whole number from 0.');
  }
  return {
    maxRequests: positive('maxRequests', options.maxRequests ?? DEFAULT_MAX_REQUESTS),
    maxQueuedRequests,
    queueTimeoutMs: positive('queueTimeoutMs', options.queueTimeoutMs ?? DEFAULT_QUEUE_TIMEOUT_MS),
  };
}

/** Checks what a caller gave. @throws INVALID_OPTION */
export function checkOptions(options: ServerOptions): CheckedOptions {
  const { port = DEFAULT_PORT, host = '127.0.0.1', key = WELL_KNOWN_KEY } = options;
  const { computeGatewayPort, allowedHosts = [], corsOrigins = [] } = options;
  const { crossPartitionQueries = 'service' } = options;
  // Names below localhost are the resolver's to decide.
  const isLoopback = isLoopbackName(host) && !host.endsWith('.localhost');
  const { closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS, idleGraceMs = 0, orderBy = 'policy', partitions = 1 } = options;
  const maxBodyBytes = positive('maxBodyBytes', options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
  const maxInFlightBytes = positive('maxInFlightBytes', options.maxInFlightBytes ?? DEFAULT_MAX_IN_FLIGHT_BYTES);
  for (const one of [port, computeGatewayPort ?? 0]) {
    if (!Number.isInteger(one) || one < 0 || one > 65535) {
      throw invalid('Cannot listen: a port is a whole number from 0 to 65535; 0 takes a free one.');
    }
  }
  if (!isLoopback && key === WELL_KNOWN_KEY) {
    throw invalid(
      `Cannot listen on ${JSON.stringify(host)} with the well-known key: everybody knows it. Give a key of your own, or listen on 127.0.0.1.`,
    );
  }
  if (maxInFlightBytes < maxBodyBytes) {
    throw invalid('maxInFlightBytes is at least maxBodyBytes.');
  }
  if (options.directoryTokens === 'any' && !isLoopback) {
    throw invalid('Cannot accept any bearer token on an address that others reach. Give a function that verifies them.');
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw invalid(`partitions is a whole number from 1 to ${MAX_PARTITIONS}.`);
  }
  if (!(closeTimeoutMs >= 0)) {
    throw invalid('closeTimeoutMs is a number from 0.');
  }
  if (!(idleGraceMs >= 0)) {
    throw invalid('idleGraceMs is a number from 0.');
  }
  if (!['strict', 'policy', 'lenient'].includes(orderBy)) {
    throw invalid('orderBy is "strict", "policy" or "lenient".');
  }
  if (!['service', 'answer'].includes(crossPartitionQueries)) {
    throw invalid('crossPartitionQueries is "service" or "answer".');
  }
  checkScriptOptions(options.scripts);
  checkVisitors(allowedHosts, corsOrigins, key);
  const { readOnlyKey } = options;
  return {
    port,
    computeGatewayPort,
    host,
    isLoopback,
    allowedHosts,
    corsOrigins,
    key: decodeKey(key, 'master'),
    readOnlyKey: readOnlyKey === undefined ? undefined : decodeKey(readOnlyKey, 'read-only'),
    partitions,
    maxBodyBytes,
    maxInFlightBytes,
    limits: checkLimits(options),
    admission: checkAdmission(options),
    closeTimeoutMs,
    idleGraceMs,
    orderBy,
    crossPartitionQueries,
  };
}
