import { DATA_STORE_HELP, DEFAULT_STORE } from '../store-address.ts';

/** One option of `perigee serve`. */
export interface ServeFlag {
  /** As help shows it: `--port <number>` takes a value, `--json` takes none. */
  readonly flags: string;
  readonly help: string;
  readonly default?: string;
  /** It may be given several times, and all values count. */
  readonly isRepeatable?: true;
}

/** Options of `perigee serve`, in the order of its help. */
export const SERVE_FLAGS: readonly ServeFlag[] = [
  { flags: '--store <store>', help: `memory, ${DATA_STORE_HELP}`, default: DEFAULT_STORE },
  { flags: '--signals <address>', help: 'where --store is a pooler such as PgBouncer: the address of PostgreSQL itself, or off' },
  {
    flags: '--replica <address>',
    help: 'address of a streaming replica of the PostgreSQL, which answers reads that allow it; repeatable',
    isRepeatable: true,
  },
  { flags: '--max-replica-lag <milliseconds>', help: 'how old a replica may be that is read from' },
  { flags: '--host <address>', help: 'address to listen on; anything but loopback needs --key', default: '127.0.0.1' },
  { flags: '--port <number>', help: 'port to listen on; 0 takes a free one', default: '8081' },
  {
    flags: '--compute-gateway-port <number>',
    help: 'a second port, such as 8903: it answers as the compute gateway, the first as the routing gateway',
  },
  { flags: '--key <base64>', help: 'master key; also read from PERIGEE_KEY; the emulator key unless given' },
  { flags: '--read-only-key <base64>', help: 'a second key that permits reading only; also read from PERIGEE_READ_ONLY_KEY' },
  {
    flags: '--directory-tokens <which>',
    help: 'bearer tokens of a directory that are accepted: any, unverified and on loopback only',
  },
  {
    flags: '--allowed-host <name>',
    help: 'further name of this server in the Host of requests; *.NAME for all below; repeatable',
    isRepeatable: true,
  },
  {
    flags: '--cors-origin <origin>',
    help: 'origin of web pages that may use the server; * for all, with a key of its own; repeatable',
    isRepeatable: true,
  },
  { flags: '--https', help: 'serve TLS with a certificate that is kept in .perigee/certs, and made there when it is missing' },
  { flags: '--certificate-folder <folder>', help: 'as --https, with the certificate in another folder' },
  { flags: '--certificate <file>', help: 'serve TLS with a certificate of your own, as PEM' },
  { flags: '--private-key <file>', help: 'its private key, as PEM' },
  {
    flags: '--order-by <mode>',
    help: 'ORDER BY that no index serves: strict, lenient, or policy (strict where a container states an index policy)',
    default: 'policy',
  },
  {
    flags: '--cross-partition <mode>',
    help: 'ORDER BY, TOP, aggregates and the like without a partition key: service (refused as the service does, the SDK merges) or answer',
    default: 'service',
  },
  { flags: '--enforce-throughput', help: 'refuse requests beyond the provisioned throughput with 429' },
  { flags: '--partitions <number>', help: 'how many partition key ranges a new container has at least' },
  { flags: '--restore <file>', help: 'begin with a snapshot; the store must be empty' },
  { flags: '--replace', help: 'with --restore: the snapshot takes the place of everything that the store holds' },
  { flags: '--chaos <file>', help: 'faults to inject, as JSON rules (docs/chaos.md)' },
  {
    flags: '--telemetry',
    help: 'note requests in OpenTelemetry, as it is set up by a module given to node --import (docs/telemetry.md)',
  },
  {
    flags: '--metrics <[host:]port>',
    help: 'serve metrics to Prometheus at /metrics on a port of its own, on loopback unless a host is given',
  },
  { flags: '--max-connections <number>', help: 'connections at a time' },
  { flags: '--max-requests <number>', help: 'requests that are carried out at a time; further ones wait' },
  {
    flags: '--max-queued-requests <number>',
    help: 'requests that may wait; further ones are refused with 429, which the SDK repeats',
  },
  { flags: '--queue-timeout <milliseconds>', help: 'how long a request may wait before it is refused with 429' },
  { flags: '--close-timeout <milliseconds>', help: 'how long requests under way may take when the server stops' },
  {
    flags: '--idle-grace <milliseconds>',
    help: 'how long idle connections may still send a request when the server stops',
    default: '250',
  },
  { flags: '--json', help: 'print one line of JSON when ready' },
];
