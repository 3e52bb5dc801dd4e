import type { Command } from 'commander';
// Loaded at once, unlike the work of other commands: a start waits for each further round of files, and most starts are for this.
import { serveStore } from './serve/serve-store.ts';
import { DATA_STORE_HELP, DEFAULT_STORE } from './store-address.ts';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** Adds `perigee serve`: a server that speaks the Cosmos DB protocol over a store. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Serve a store over the Cosmos DB protocol, for the official SDKs.')
    .option('--store <store>', `memory, ${DATA_STORE_HELP}`, DEFAULT_STORE)
    .option('--signals <address>', 'where --store is a pooler such as PgBouncer: the address of PostgreSQL itself, or off')
    .option(
      '--replica <address>',
      'address of a streaming replica of the PostgreSQL, which answers reads that allow it; repeatable',
      collect,
      [],
    )
    .option('--max-replica-lag <milliseconds>', 'how old a replica may be that is read from')
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
    .option('--metrics <[host:]port>', 'serve metrics to Prometheus at /metrics on a port of its own, on loopback unless a host is given')
    .option('--max-connections <number>', 'connections at a time')
    .option('--max-requests <number>', 'requests that are carried out at a time; further ones wait')
    .option('--max-queued-requests <number>', 'requests that may wait; further ones are refused with 429, which the SDK repeats')
    .option('--queue-timeout <milliseconds>', 'how long a request may wait before it is refused with 429')
    .option('--close-timeout <milliseconds>', 'how long requests under way may take when the server stops')
    .option('--idle-grace <milliseconds>', 'how long idle connections may still send a request when the server stops', '250')
    .option('--json', 'print one line of JSON when ready')
    .addHelpText(
      'after',
      '\nThe SDK connects with the printed connection string. Ctrl-C stops the server after the requests under way; a second one stops it at once.',
    )
    .action(serveStore);
}
