import type { Server } from 'node:http';
import type { Gateway } from './gate/routing-gateway.ts';
import { createHttpServer, listen, stop } from './http-listener.ts';
import { createRequestListener } from './request-listener.ts';
import type { PerigeeServer, ServerOptions } from './server-options.ts';
import { prepareServer } from './prepare-server.ts';

/** A gateway that takes requests. */
interface Listening {
  readonly server: Server;
  readonly port: number;
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
  const prepared = await prepareServer(options);
  const { parts, checked, certificate, uploads, partitions, addresses } = prepared;
  const { host, port, limits } = checked;
  const { turns, runtime, chaos } = parts;
  const { logger } = parts.server;
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
    prepared.beginClosing();
    await Promise.all(
      gateways.map(({ server }) => stop(server, runtime, { timeoutMs: checked.closeTimeoutMs, idleGraceMs: checked.idleGraceMs })),
    );
    await prepared.close();
  };
  try {
    addresses.url = await open(checked.computeGatewayPort === undefined ? 'compute' : 'routing', port);
    addresses.computeGatewayUrl = checked.computeGatewayPort === undefined ? undefined : await open('compute', checked.computeGatewayPort);
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    ...addresses,
    port: (gateways[0] as Listening).port,
    certificate: certificate?.cert,
    partitions,
    chaos,
    refillThroughput: () => parts.server.limiter?.refill(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
