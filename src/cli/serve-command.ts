import { join } from 'node:path';
import type { Command } from 'commander';
import { PerigeeError } from '../core/errors.ts';
import { ShiftableRuntime } from '../core/shiftable-runtime.ts';
import type { ServerOptions } from '../server/server-options.ts';
import { consoleLogger } from './console-logger.ts';
import { DEFAULT_STORE, openStore } from './open-store.ts';
import { restoreInto } from './restore-command.ts';
import { readyJson, readyText } from './serve/ready-text.ts';
import { serverOptionsOf, type ServeOptions } from './serve/server-options-of.ts';
import { untilStopped } from './serve/stop-signals.ts';
import { openInput } from './snapshot/input-file.ts';
import { parseStoreAddress } from './store-address.ts';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** Adds `perigee serve`: a server that speaks the Cosmos DB protocol over a local store. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Serve a local store over the Cosmos DB protocol, for the official SDKs.')
    .option('--store <store>', 'memory, sqlite:PATH, or file:FOLDER', DEFAULT_STORE)
    .option('--host <address>', 'address to listen on; anything but loopback needs --key', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', '8081')
    .option(
      '--compute-gateway-port <number>',
      'a second port, such as 8903: it answers as the compute gateway, the first as the routing gateway',
    )
    .option('--key <base64>', 'master key; also read from PERIGEE_KEY; the emulator key unless given')
    .option('--read-only-key <base64>', 'a second key that permits reading only; also read from PERIGEE_READ_ONLY_KEY')
    .option('--directory-tokens <which>', 'bearer tokens of a directory that are accepted: any, unverified and on loopback only')
    .option('--allowed-host <name>', 'further name of this server in the Host of requests; *.NAME for all below; repeatable', collect, [])
    .option(
      '--cors-origin <origin>',
      'origin of web pages that may use the server; * for all, with a key of its own; repeatable',
      collect,
      [],
    )
    .option('--https', 'serve TLS with a certificate that is kept in .perigee/certs, and made there when it is missing')
    .option('--certificate-folder <folder>', 'as --https, with the certificate in another folder')
    .option('--certificate <file>', 'serve TLS with a certificate of your own, as PEM')
    .option('--private-key <file>', 'its private key, as PEM')
    .option(
      '--order-by <mode>',
      'ORDER BY that no index serves: strict, lenient, or policy (strict where a container states an index policy)',
      'policy',
    )
    .option(
      '--cross-partition <mode>',
      'ORDER BY, TOP, aggregates and the like without a partition key: service (refused as the service does, the SDK merges) or answer',
      'service',
    )
    .option('--enforce-throughput', 'refuse requests beyond the provisioned throughput with 429')
    .option('--partitions <number>', 'how many partition key ranges a new container has at least')
    .option('--restore <file>', 'begin with a snapshot; the store must be empty')
    .option('--replace', 'with --restore: the snapshot takes the place of everything that the store holds')
    .option('--chaos <file>', 'faults to inject, as JSON rules (docs/chaos.md)')
    .option('--telemetry', 'note requests in OpenTelemetry, as it is set up by a module given to node --import (docs/telemetry.md)')
    .option('--max-connections <number>', 'connections at a time')
    .option('--close-timeout <milliseconds>', 'how long requests under way may take when the server stops')
    .option('--idle-grace <milliseconds>', 'how long idle connections may still send a request when the server stops', '250')
    .option('--json', 'print one line of JSON when ready')
    .addHelpText(
      'after',
      '\nThe SDK connects with the printed connection string. Ctrl-C stops the server after the requests under way; a second one stops it at once.',
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const settings = serverOptionsOf(options, process.env);
  if (parseStoreAddress(options.store).kind === 'cosmos') {
    throw new PerigeeError(
      'INVALID_OPTION',
      'Cannot serve an account: it speaks the protocol itself. Connect to it, or copy it into a local store first.',
    );
  }
  const snapshot = options.restore === undefined ? undefined : await openInput(options.restore);
  const { backend, label } = await openStore(options.store, { runtime: new ShiftableRuntime() });
  try {
    if (snapshot !== undefined) {
      await restoreInto(backend, snapshot, options.replace === true);
    }
    const [{ startServer }, { WELL_KNOWN_KEY }] = await Promise.all([
      import('../server/start-server.ts'),
      import('../server/server-options.ts'),
    ]);
    const server = await startServer({ ...settings, backend, logger: consoleLogger });
    const stopped = untilStopped();
    const isWellKnown = settings.key === undefined || settings.key === WELL_KNOWN_KEY;
    const facts = {
      server,
      wellKnownKey: isWellKnown ? WELL_KNOWN_KEY : undefined,
      store: label,
      certificateFile: await certificateFileOf(settings.https),
    };
    console.log(options.json === true ? readyJson(facts) : readyText(facts));
    await stopped;
    await server.close();
  } finally {
    await backend.close();
  }
}

/** The file that clients are to trust, where the server keeps one. */
async function certificateFileOf(https: ServerOptions['https']): Promise<string | undefined> {
  if (typeof https !== 'object' || !('folder' in https)) {
    return undefined;
  }
  const { CERTIFICATE_FILE } = await import('../server/kept-certificate.ts');
  return join(https.folder, CERTIFICATE_FILE);
}
