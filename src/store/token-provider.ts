import type { PartitionKey } from './partition-key.ts';

/** What a token is needed for. */
export interface TokenRequest {
  readonly databaseId: string | undefined;
  /** Id of the container; `undefined` for calls on a database or on the account. */
  readonly container: string | undefined;
  /** The one partition key that the call touches; `undefined` where it touches the container as a whole. */
  readonly partitionKey: PartitionKey | undefined;
  /** `read` for calls that change nothing. */
  readonly mode: 'read' | 'all';
  /** The service refused the last token, or the credentials were invalidated: an answer out of a cache would be refused again. */
  readonly refresh: boolean;
}

/** A token for a remote store. */
export interface AccessToken {
  readonly token: string;
  /** Milliseconds since 1970. The token is asked for again shortly before; absent: it is used until the service refuses it. */
  readonly expiresAtMs?: number | undefined;
}

/**
 * The port through which a remote store gets its credentials. The application, or a token service client, implements it; stores call it.
 *
 * Tokens are kept and shared by the caller: for one database, container, partition key and mode there is at most one call under way. What it
 * throws reaches the caller of the store: a {@link PerigeeError} as it is, anything else as the cause of UNAUTHORIZED.
 */
export interface TokenProvider {
  getToken(request: TokenRequest): Promise<AccessToken>;
}
