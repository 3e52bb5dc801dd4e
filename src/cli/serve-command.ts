import type { Command } from 'commander';
import { PerigeeError } from '../core/errors.ts';
import type { OrderByMode } from '../store/queries.ts';
import { consoleLogger } from './console-logger.ts';
import { DEFAULT_STORE, openStore } from './open-store.ts';
import { parseStoreAddress } from './store-address.ts';

interface ServeOptions {
  readonly store: string;
  readonly host: string;
  readonly port: string;
  readonly key?: string | undefined;
  readonly https?: boolean | undefined;
  readonly orderBy: string;
  readonly json?: boolean | undefined;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/u.test(text) || port > 65535) {
    throw new PerigeeError(
      'INVALID_OPTION',
      `Cannot listen on port ${JSON.stringify(text)}: a port is a whole number from 0 to 65535; 0 takes a free one.`,
    );
  }
  return port;
}

function parseOrderBy(text: string): OrderByMode {
  if (text !== 'strict' && text !== 'policy' && text !== 'lenient') {
    throw new PerigeeError('INVALID_OPTION', `Cannot serve with --order-by ${JSON.stringify(text)}: it is strict, policy or lenient.`);
  }
  return text;
}

/** Adds `perigee serve`: a server that speaks the Cosmos DB protocol over a local store. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Serve a local store over the Cosmos DB protocol, for the official SDKs.')
    .option('--store <store>', 'memory, sqlite:PATH, or file:FOLDER', DEFAULT_STORE)
    .option('--host <address>', 'address to listen on; anything but loopback needs --key', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', '8081')
    .option('--key <base64>', 'master key; also read from PERIGEE_KEY; the emulator key unless given')
    .option('--https', 'serve TLS with a certificate made at start')
    .option(
      '--order-by <mode>',
      'ORDER BY that no index serves: strict, lenient, or policy (strict where a container states an index policy)',
      'policy',
    )
    .option('--json', 'print one line of JSON when ready')
    .addHelpText('after', '\nThe SDK connects with the printed endpoint and key. Ctrl-C stops the server after the requests under way.')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const port = parsePort(options.port);
  const orderBy = parseOrderBy(options.orderBy);
  if (parseStoreAddress(options.store).kind === 'cosmos') {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot serve an account: it speaks the protocol itself. Connect to it, or copy it into a local store first.',
    );
  }
  const { backend, label } = await openStore(options.store);
  const [{ startServer }, { WELL_KNOWN_KEY }] = await Promise.all([
    import('../server/start-server.ts'),
    import('../server/server-options.ts'),
  ]);
  const key = options.key ?? process.env['PERIGEE_KEY'];
  try {
    const server = await startServer({
      backend,
      host: options.host,
      port,
      orderBy,
      logger: consoleLogger,
      ...(key === undefined ? {} : { key }),
      ...(options.https === true ? { https: true } : {}),
    });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => resolve());
      }
    });
    if (options.json === true) {
      console.log(JSON.stringify({ url: server.url, port: server.port, store: label }));
    } else {
      const keyLine = key === undefined ? `${WELL_KNOWN_KEY} (the emulator's, known to everybody)` : 'the one you gave';
      console.log(
        `Perigee serves the Cosmos DB protocol.\n  endpoint  ${server.url}\n  key       ${keyLine}\n  store     ${label}\nCtrl-C stops it.`,
      );
    }
    await stopped;
    await server.close();
  } finally {
    await backend.close();
  }
}
