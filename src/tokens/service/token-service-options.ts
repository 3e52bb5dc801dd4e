import type { Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Caller, VerifyCaller } from './caller.ts';
import type { RateLimits } from './rate-limiter.ts';
import type { TokenGrant } from './token-grants.ts';

/** The account whose tokens are given away. */
export interface TokenAccountOptions {
  /** Such as `https://account.documents.azure.com:443/`, or the address of a server of Perigee. */
  readonly endpoint: string;
  /** The account key: nothing else may make users and permissions. It never leaves the service. */
  readonly key: string;
  readonly database: string;
  /** Time for name, connection and TLS, in milliseconds; 5,000 unless said otherwise. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for one request to the account, in milliseconds; 30,000 unless said otherwise. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a request waits while the account throttles, in milliseconds; 30,000 unless said otherwise. */
  readonly maxThrottleWaitMs?: number | undefined;
  /** Loads the SDK: `() => import('@azure/cosmos')` unless said otherwise. */
  readonly loadDriver?: (() => Promise<unknown>) | undefined;
}

/** Settings of {@link createTokenService}. */
export interface TokenServiceOptions {
  readonly account: TokenAccountOptions;
  /** Ids of the containers that tokens are given for; everything else is refused. */
  readonly containers: readonly string[];
  /** Tells who sends a request: {@link oidcVerifier}, or a function of the application. */
  readonly verify: VerifyCaller;
  /** Which partition keys of a container a caller may have; the one that equals the subject unless said otherwise. */
  readonly partitionKeysOf?: ((caller: Caller, container: string) => readonly TokenGrant[] | Promise<readonly TokenGrant[]>) | undefined;
  /** How long tokens live, in seconds, from 10 to 86,400; 3,600 unless said otherwise. Azure's REST reference names 18,000 as the most. */
  readonly lifetimeSeconds?: number | undefined;
  readonly rateLimit?: RateLimits | undefined;
  /** Largest body of a request, in bytes; 8,192 unless said otherwise. */
  readonly maxBodyBytes?: number | undefined;
  /** Most characters of all headers of a request together; 32,768 unless said otherwise. */
  readonly maxHeaderCharacters?: number | undefined;
  /** Is told of each token (never the token itself, nor the subject: the id of the user in the account) and of each failure. */
  readonly logger?: Logger | undefined;
  readonly runtime?: Runtime | undefined;
}
