import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend } from '../store/backend.ts';
import type { ChaosControl, ChaosRules } from './chaos/chaos-rules.ts';
import type { PartitionCommands } from './partitions/partition-commands.ts';
import type { VerifyDirectoryToken } from './access/directory-tokens.ts';
import type { OrderByMode } from '../store/queries.ts';
import type { ScriptOptions } from './scripts/script-options.ts';
import type { TelemetryOptions } from './telemetry/telemetry-options.ts';

/** The master key that every Cosmos DB emulator has; public, so the server refuses to be reached from elsewhere with it. */
export const WELL_KNOWN_KEY: string = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==';

/** Certificate and private key of a server, as PEM text. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Where a server keeps the certificate that it made. */
export interface CertificateFolder {
  /** Made where it is missing; its private file can be read by its owner alone. */
  readonly folder: string;
}

/** Who runs queries over several partition keys: see {@link ServerOptions.crossPartitionQueries}. */
export type CrossPartitionQueries = 'service' | 'answer';

/** How {@link startServer} serves a backend. */
export interface ServerOptions {
  /** What is served. It belongs to the caller, who closes it after the server. */
  readonly backend: Backend;
  /** 8081 unless said otherwise; 0 takes a free one. */
  readonly port?: number | undefined;
  /**
   * A second port, as the service has one: there it answers as the compute gateway, which takes every id of a document, and on the first as
   * the routing gateway, which refuses some (`docs/server.md`). 0 takes a free one. Without it the one port takes every id.
   */
  readonly computeGatewayPort?: number | undefined;
  /** Address to listen on; `127.0.0.1` unless said otherwise. Any address that is not loopback needs a key of its own. */
  readonly host?: string | undefined;
  /** Master key in base64; {@link WELL_KNOWN_KEY} unless said otherwise. */
  readonly key?: string | undefined;
  /** A second key in base64 that permits reading only; none unless said otherwise. */
  readonly readOnlyKey?: string | undefined;
  /**
   * Which bearer tokens of a directory (Microsoft Entra ID) are accepted beside keys and resource tokens; none unless said otherwise. A function decides
   * about each. `any` takes every well-formed token that has not expired, unverified: on loopback only.
   */
  readonly directoryTokens?: VerifyDirectoryToken | 'any' | undefined;
  /** Refuses requests beyond the provisioned throughput with 429, as the service does; off unless said otherwise. */
  readonly enforceThroughput?: boolean | undefined;
  /** How many partition key ranges a new container has at least; 1 unless said otherwise. More come with more than 10,000 request units a second. */
  readonly partitions?: number | undefined;
  /**
   * TLS: `true` makes a certificate for this run; a folder keeps one there and makes it anew before it ends. Clients trust it as its own
   * authority ({@link PerigeeServer.certificate}).
   */
  readonly https?: boolean | ServerCertificate | CertificateFolder | undefined;
  /**
   * Clock for the dates that clients sign, which may be 15 minutes off; the host's unless said otherwise. Documents take their time from the
   * backend's own runtime, so a backend on a simulated clock can be served to real clients. A backend on a `ShiftableRuntime` has a clock that
   * `POST /_perigee/clock` moves; tokens end by it, and signed dates are still those of the clock beneath.
   */
  readonly runtime?: Runtime | undefined;
  readonly logger?: Logger | undefined;
  /**
   * Further names of this server in the `Host` of requests; `*.name` stands for all below one. On loopback these, loopback names and the host
   * listened on are answered and others refused with 403, against pages that let a name of theirs point here (DNS rebinding). On other
   * addresses any name is answered unless this is given.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Origins of web pages that may use the server, such as `http://localhost:3000`; none unless said otherwise, and requests of all others are
   * refused with 403. `*` stands for all, and needs a key of its own.
   */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Largest request body in bytes; 2,304 KiB unless said otherwise. Documents and batches end at 2 MB whatever it says. */
  readonly maxBodyBytes?: number | undefined;
  /** Memory that bodies of requests and answers that clients have not taken may use together, in bytes; 128 MiB unless said otherwise. Requests beyond it wait, then get 429. */
  readonly maxInFlightBytes?: number | undefined;
  /** Connections at a time; 2,000 unless said otherwise. Further ones are closed at once. */
  readonly maxConnections?: number | undefined;
  /** Requests that are carried out at a time; 256 unless said otherwise. Further ones wait, in the order in which they came. */
  readonly maxRequests?: number | undefined;
  /** Requests that may wait to be carried out; 2,000 unless said otherwise. Further ones get 429 at once, which the SDK repeats. */
  readonly maxQueuedRequests?: number | undefined;
  /** How long a request may wait to be carried out, in milliseconds; 10,000 unless said otherwise. Then it gets 429. */
  readonly queueTimeoutMs?: number | undefined;
  /** How long a client may take for the headers of a request, in milliseconds; 30,000 unless said otherwise. Then it gets 408. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a client may take for a whole request, or go without taking any of an answer, in milliseconds; 120,000 unless said otherwise. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * What becomes of a query without a partition key that the service's gateway does not answer itself (ORDER BY, TOP, OFFSET and LIMIT, DISTINCT,
   * aggregates, GROUP BY, searches): `service` (the default) refuses it as the gateway does, so that the client runs its plan; `answer` runs it here.
   */
  readonly crossPartitionQueries?: CrossPartitionQueries | undefined;
  /**
   * What becomes of an ORDER BY that no index of the container's policy serves: `strict` refuses it as the service does, `lenient` runs it, and
   * `policy` (the default) is strict but for containers with the default index policy.
   */
  readonly orderBy?: OrderByMode | undefined;
  /** What stored procedures, triggers and user-defined functions may take. */
  readonly scripts?: ScriptOptions | undefined;
  /** Faults that requests meet with, to rehearse what clients do then; none unless said otherwise. `docs/chaos.md` */
  readonly chaos?: ChaosRules | undefined;
  /**
   * Notes requests as spans and metrics of OpenTelemetry (`docs/telemetry.md`), which needs the package `@opentelemetry/api`: `true` for the tracer and the
   * meter that are registered globally. Nothing is noted unless said otherwise.
   */
  readonly telemetry?: boolean | TelemetryOptions | undefined;
  /** How long {@link PerigeeServer.close} waits for requests under way, in milliseconds; 10,000 unless said otherwise. */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * How long connections that are idle live on while the server closes, in milliseconds: what comes on them is answered, and is the last. A client that is
   * sending a request at that moment then meets a refused connection with its next one, and not a broken one with this one. 0 unless said otherwise;
   * `perigee serve` has 250.
   */
  readonly idleGraceMs?: number | undefined;
}

/** A server that is listening. */
export interface PerigeeServer {
  /** Endpoint for clients, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Endpoint of the compute gateway; `undefined` without {@link ServerOptions.computeGatewayPort}. */
  readonly computeGatewayUrl: string | undefined;
  /** The certificate that clients are to trust, as PEM text; `undefined` without TLS. `GET /_explorer/emulator.pem` gives it as well. */
  readonly certificate: string | undefined;
  /** Splits and merges partition key ranges. */
  readonly partitions: PartitionCommands;
  /** Faults that requests meet with. */
  readonly chaos: ChaosControl;
  /** Where throughput is enforced, forgets what was spent of it: the next second begins now. */
  refillThroughput(): void;
  /** Answers the requests under way, refuses new ones, closes idle connections. The backend stays open. Closing twice is allowed. */
  close(): Promise<void>;
}
