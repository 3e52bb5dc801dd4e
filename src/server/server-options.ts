import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend } from '../store/backend.ts';
import type { OrderByMode } from '../store/queries.ts';

/** The master key that every Cosmos DB emulator has; public, so the server refuses to be reached from elsewhere with it. */
export const WELL_KNOWN_KEY: string = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==';

/** Certificate and private key of a server, as PEM text. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** How {@link startServer} serves a backend. */
export interface ServerOptions {
  /** What is served. It belongs to the caller, who closes it after the server. */
  readonly backend: Backend;
  /** 8081 unless said otherwise; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Address to listen on; `127.0.0.1` unless said otherwise. Any address that is not loopback needs a key of its own. */
  readonly host?: string | undefined;
  /** Master key in base64; {@link WELL_KNOWN_KEY} unless said otherwise. */
  readonly key?: string | undefined;
  /** TLS: `true` makes a self-signed certificate at the start. */
  readonly https?: boolean | ServerCertificate | undefined;
  /**
   * Clock for the dates that clients sign, which may be 15 minutes off; the host's unless said otherwise. Documents take their time from the
   * backend's own runtime, so a backend on a simulated clock can be served to real clients.
   */
  readonly runtime?: Runtime | undefined;
  readonly logger?: Logger | undefined;
  /** Largest request body in bytes; 2,304 KiB unless said otherwise. Documents and batches end at 2 MB whatever it says. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * What becomes of a query over several partition keys that the service's gateway refuses to answer itself (ORDER BY, TOP, DISTINCT,
   * aggregates and so on): `answer` (the default) runs it here; `plan` refuses it as the gateway does, so that the client runs the plan.
   */
  readonly crossPartitionQueries?: 'answer' | 'plan' | undefined;
  /**
   * What becomes of an ORDER BY that no index of the container's policy serves: `strict` refuses it as the service does, `lenient` runs it, and
   * `policy` (the default) is strict but for containers with the default index policy.
   */
  readonly orderBy?: OrderByMode | undefined;
  /** How long {@link PerigeeServer.close} waits for requests under way, in milliseconds; 10,000 unless said otherwise. */
  readonly closeTimeoutMs?: number | undefined;
}

/** A server that is listening. */
export interface PerigeeServer {
  /** Endpoint for clients, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Answers the requests under way, refuses new ones, closes idle connections. The backend stays open. Closing twice is allowed. */
  close(): Promise<void>;
}
