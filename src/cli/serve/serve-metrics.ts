import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Meter } from '@opentelemetry/api';
import type * as Exporter from '@opentelemetry/exporter-prometheus';
import type * as Metrics from '@opentelemetry/sdk-metrics';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { systemRuntime } from '../../core/runtime.ts';
import { hostName, HostGuard, isLoopbackName } from '../../server/gate/host-guard.ts';
import { listen, stop } from '../../server/http-listener.ts';
import type { MeterLike } from '../../server/telemetry/telemetry-options.ts';
import type { ConnectionStatus } from '../../stores/postgres/postgres-database.ts';

/** Where metrics are given to Prometheus. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** Metrics that are served. */
export interface ServedMetrics {
  /** What the server of documents counts on. */
  readonly meter: MeterLike;
  readonly url: string;
  close(): Promise<void>;
}

const PATH = '/metrics';
const PACKAGES = ['@opentelemetry/sdk-metrics', '@opentelemetry/exporter-prometheus'] as const;
/** Prometheus asks on one connection; more are for those who look by hand. */
const MAX_CONNECTIONS = 20;

/** Reads `PORT` or `HOST:PORT`; without a host it is loopback. @throws INVALID_OPTION */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, host, port] = /^(?:(\[[0-9a-f:.]+\]|[^:[\]/\s]+):)?(\d{1,5})$/iu.exec(text) ?? [];
  if (port === undefined || Number(port) > 65535) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot serve with --metrics ${JSON.stringify(text)}: it is PORT, on loopback, or HOST:PORT; port 0 takes a free one.`,
    );
  }
  return { host: host?.replace(/^\[|\]$/gu, '') ?? '127.0.0.1', port: Number(port) };
}

async function loadPackages(): Promise<[typeof Metrics, typeof Exporter]> {
  try {
    return await Promise.all([import('@opentelemetry/sdk-metrics'), import('@opentelemetry/exporter-prometheus')]);
  } catch (cause) {
    throw new PerigeeError(
      'DRIVER_MISSING',
      `Cannot serve metrics without the packages of OpenTelemetry. Install them: npm install @opentelemetry/api ${PACKAGES.join(' ')}`,
      { cause, details: { package: PACKAGES[1] } },
    );
  }
}

function observeConnections(meter: Meter, connections: () => ConnectionStatus): void {
  const count = meter.createObservableUpDownCounter('db.client.connection.count', {
    description: 'Connections to PostgreSQL.',
    unit: '{connection}',
  });
  const max = meter.createObservableUpDownCounter('db.client.connection.max', {
    description: 'Connections to PostgreSQL at most.',
    unit: '{connection}',
  });
  const pending = meter.createObservableUpDownCounter('db.client.connection.pending_requests', {
    description: 'Calls that wait for a connection to PostgreSQL.',
    unit: '{request}',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { used, idle, waiting, most } = connections();
      result.observe(count, used, { 'db.client.connection.state': 'used' });
      result.observe(count, idle, { 'db.client.connection.state': 'idle' });
      result.observe(max, most);
      result.observe(pending, waiting);
    },
    [count, max, pending],
  );
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code, message }));
}

/**
 * Serves metrics in the text form of Prometheus, at `/metrics` on a port of its own: who may ask is a matter of who reaches it, since they need no key.
 * Of documents there is nothing in them but the names of databases and containers.
 *
 * @param connections of a store that has some
 * @throws DRIVER_MISSING, PORT_IN_USE, INVALID_OPTION
 */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  connections: (() => ConnectionStatus) | undefined,
): Promise<ServedMetrics> {
  const [{ MeterProvider }, { PrometheusExporter }] = await loadPackages();
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter = provider.getMeter('perigee');
  if (connections !== undefined) {
    observeConnections(meter, connections);
  }
  const guard = new HostGuard({ host, isLoopback: isLoopbackName(host), allowedHosts: [] });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    try {
      guard.check(request.headers.host ?? '');
    } catch (error) {
      refuse(response, 403, 'Forbidden', isPerigeeError(error) ? error.message : 'Forbidden.');
      return;
    }
    if (request.method !== 'GET' || request.url?.split('?')[0] !== PATH) {
      refuse(response, 404, 'NotFound', `There is nothing here but GET ${PATH}.`);
      return;
    }
    exporter.getMetricsRequestHandler(request, response);
  };
  const server = createServer(answer);
  server.maxConnections = MAX_CONNECTIONS;
  const actualPort = await listen(server, host, port);
  const name = hostName(host.includes(':') ? `[${host}]` : host) ?? host;
  return {
    meter,
    url: `http://${name.includes(':') ? `[${name}]` : name}:${actualPort}${PATH}`,
    close: async () => {
      await stop(server, systemRuntime, { timeoutMs: 1000, idleGraceMs: 0 });
      await provider.shutdown();
    },
  };
}
