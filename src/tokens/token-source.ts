import { PerigeeError } from '../core/errors.ts';
import { systemRuntime, type Runtime } from '../core/runtime.ts';
import { abortable } from '../store/call-tracker.ts';
import { checkRefreshFraction, TokenCache } from '../store/token-cache.ts';
import type { AccessToken, TokenAccess, TokenKeeper, TokenProvider, TokenRequest } from '../store/token-provider.ts';

/** What tokens are fetched for, and for whom. */
export interface UserTokenRequest extends TokenRequest {
  readonly user: string;
  /** Aborts when the user is changed, and nobody waits for the token any more. */
  readonly signal: AbortSignal;
}

/** What may be asked of {@link UserTokens.getToken}: what is left out is not limited. */
export interface TokenQuery extends Partial<TokenRequest> {
  readonly container: string | undefined;
}

/** Settings of every token source. */
export interface TokenSourceOptions {
  /** Part of a token's life after which it is renewed, above 0 and below 1; 0.75 unless said otherwise. */
  readonly refreshAtFraction?: number | undefined;
  readonly runtime?: Runtime | undefined;
}

/** The tokens of one user: a `tokenProvider` for stores. */
export interface UserTokens extends TokenProvider {
  readonly user: string;
  readonly keeper: TokenKeeper;
  /**
   * The token for a container, a partition key and a mode (`read` unless said otherwise), out of memory where there is a good one; `refresh` fetches
   * another. However many ask at once, one request is sent.
   *
   * @throws UNAUTHORIZED when the source is for another user by now, and what the source throws
   */
  getToken(request: TokenQuery): Promise<AccessToken>;
}

/** Where tokens come from, for one user at a time. */
export interface TokenSource {
  /**
   * The tokens of a user, who becomes the only one: the tokens of the user before are dropped, and whoever asks for them gets UNAUTHORIZED until the
   * source is for that user again. A process that serves several users at a time makes a source for each.
   *
   * @throws INVALID_OPTION
   */
  forUser(user: string): UserTokens;
  /** Drops all tokens; it is for nobody until the next {@link forUser}. */
  signOut(): void;
}

interface Session {
  readonly user: string;
  readonly cache: TokenCache;
  readonly end: AbortController;
}

/** Fetches one token. */
export type FetchToken = (request: UserTokenRequest) => Promise<AccessToken>;

function signedOut(): PerigeeError {
  return new PerigeeError(
    'UNAUTHORIZED',
    'Cannot get a token: the user has been changed or signed out. Sign the user in again with forUser.',
  );
}

class FetchedTokens implements UserTokens {
  readonly user: string;
  readonly keeper: TokenKeeper;
  /** Gives the cache while the source is for this user. */
  readonly #cacheIfCurrent: () => TokenCache | undefined;

  constructor(user: string, cacheIfCurrent: () => TokenCache | undefined) {
    this.user = user;
    this.#cacheIfCurrent = cacheIfCurrent;
    this.keeper = {
      token: (access) => this.#take((cache) => cache.token(access)),
      refuse: (access, token) => cacheIfCurrent()?.refuse(access, token),
      invalidate: () => cacheIfCurrent()?.invalidate(),
    };
  }

  getToken(request: TokenQuery): Promise<AccessToken> {
    const { databaseId, container, partitionKey, mode = 'read', refresh = false } = request;
    const access: TokenAccess = { databaseId, container, partitionKey, mode };
    return this.#take((cache) => (refresh ? cache.renewed(access) : cache.token(access)));
  }

  async #take(ask: (cache: TokenCache) => Promise<AccessToken>): Promise<AccessToken> {
    const cache = this.#cacheIfCurrent();
    const token = cache === undefined ? undefined : await ask(cache);
    if (token === undefined || this.#cacheIfCurrent() !== cache) {
      throw signedOut();
    }
    return token;
  }
}

class FetchedTokenSource implements TokenSource {
  readonly #fetch: FetchToken;
  readonly #runtime: Runtime;
  readonly #refreshAtFraction: number;
  #session: Session | undefined;

  constructor(fetch: FetchToken, options: TokenSourceOptions) {
    this.#fetch = fetch;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#refreshAtFraction = checkRefreshFraction(options.refreshAtFraction);
  }

  forUser(user: string): UserTokens {
    if (typeof user !== 'string' || user === '') {
      throw new PerigeeError('INVALID_OPTION', 'Cannot give tokens for a user without a name: forUser takes a string that is not empty.');
    }
    if (this.#session?.user !== user) {
      this.signOut();
      this.#session = this.#open(user);
    }
    return new FetchedTokens(user, () => (this.#session?.user === user ? this.#session.cache : undefined));
  }

  signOut(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.cache.invalidate();
    session?.end.abort(signedOut());
  }

  #open(user: string): Session {
    const end = new AbortController();
    const { signal } = end;
    // Whoever waits learns at once that the user has left.
    const getToken = (request: TokenRequest): Promise<AccessToken> => abortable(this.#fetch({ ...request, user, signal }), signal);
    return { user, end, cache: new TokenCache({ getToken }, { runtime: this.#runtime, refreshAtFraction: this.#refreshAtFraction }) };
  }
}

/** Makes a source of what fetches tokens. @throws INVALID_OPTION */
export function createTokenSource(fetch: FetchToken, options: TokenSourceOptions): TokenSource {
  return new FetchedTokenSource(fetch, options);
}
