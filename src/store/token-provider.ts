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

/** {@link TokenRequest} without its history: what a call touches. */
export type TokenAccess = Omit<TokenRequest, 'refresh'>;

/** A token for a remote store. */
export interface AccessToken {
  readonly token: string;
  /** Milliseconds since 1970, by the clock of this device. The token is renewed before; absent: it is used until the service refuses it. */
  readonly expiresAtMs?: number | undefined;
  /** How long the token is good from the moment it was asked for, in milliseconds. It counts before `expiresAtMs`, and needs no clock that is right. */
  readonly lifetimeMs?: number | undefined;
}

/** Tokens that are kept: what a store asks before each request. */
export interface TokenKeeper {
  /** The token for a call; out of memory where there is a good one. */
  token(access: TokenAccess): Promise<AccessToken>;
  /** Forgets a token that the service refused, unless a newer one is there already. */
  refuse(access: TokenAccess, token: string): void;
  /** Forgets all tokens; those under way are not kept either. */
  invalidate(): void;
}

/**
 * The port through which a remote store gets its credentials. The application, or a token service client, implements it; stores call it.
 *
 * Tokens are kept and shared by the caller (unless the provider has a `keeper`): for one database, container, partition key and mode there is at most one call under way. What it
 * throws reaches the caller of the store: a {@link PerigeeError} as it is unless it is of the category `data`, anything else as the cause of UNAUTHORIZED.
 */
export interface TokenProvider {
  getToken(request: TokenRequest): Promise<AccessToken>;
  /** For a provider that keeps tokens by itself: stores then ask this one, and keep none of their own. */
  readonly keeper?: TokenKeeper | undefined;
}
