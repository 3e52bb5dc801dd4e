import { createServer } from 'node:http';
import { systemRuntime } from '../../core/runtime.ts';
import { listen, stop } from '../../server/http-listener.ts';
import { createTokenService } from '../../tokens/service/token-service.ts';
import { consoleLogger } from '../console-logger.ts';
import { untilStopped } from '../serve/stop-signals.ts';
import { tokenOptionsOf, type TokensOptions } from './token-options-of.ts';

const LIMITS = { maxHeaderSize: 32 * 1024, headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
const MAX_CONNECTIONS = 2000;
const STOP = { timeoutMs: 10_000, idleGraceMs: 250 };

/** Serves tokens until the program is asked to stop. */
export async function serveTokens(options: TokensOptions): Promise<void> {
  const { service: settings, host, port } = tokenOptionsOf(options, process.env);
  const service = createTokenService({ ...settings, logger: consoleLogger });
  try {
    // A wrong key or a missing container is told at once, and not to the first user.
    await service.check();
    const server = createServer(LIMITS, (request, response) => void service.nodeHandler(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${await listen(server, host, port)}`;
    const stopped = untilStopped();
    console.log(options.json === true ? readyJson(options, url) : readyText(options, url));
    await stopped;
    await stop(server, systemRuntime, STOP);
  } finally {
    await service.close();
  }
}

function readyJson({ database, container, lifetime, development }: TokensOptions, url: string): string {
  const callers = development === true ? 'development' : 'oidc';
  return JSON.stringify({
    url,
    port: Number(new URL(url).port),
    database,
    containers: container,
    lifetimeSeconds: Number(lifetime),
    callers,
  });
}

function readyText(options: TokensOptions, url: string): string {
  return [
    'Perigee serves tokens.',
    `  address   ${url}`,
    `  account   ${new URL(options.endpoint).host}, database ${options.database}`,
    `  for       ${options.container.join(', ')}`,
    `  callers   ${options.development === true ? 'whoever has the secret in PERIGEE_TOKENS_SECRET' : `users of ${options.issuer ?? ''}`}`,
    `  life      ${options.lifetime} s`,
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}
