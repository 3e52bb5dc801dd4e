import { PerigeeError, isPerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { partitionKeyText } from '../../store/partition-key.ts';
import type { AccessToken, TokenProvider, TokenRequest } from '../../store/token-provider.ts';

/** A token is fetched anew this long before it expires, so that none expires under way. */
const EXPIRY_MARGIN_MS = 5000;
/** Tokens held at most; the one unused for longest goes first. */
const MAX_TOKENS = 1000;

type Access = Omit<TokenRequest, 'refresh'>;

interface Entry {
  readonly token: Promise<AccessToken>;
  /** Known once the token is there. */
  expiresAtMs: number | undefined;
}

function keyOf(access: Access): string {
  const { databaseId, container, partitionKey, mode } = access;
  return JSON.stringify([databaseId ?? null, container ?? null, partitionKey === undefined ? null : partitionKeyText(partitionKey), mode]);
}

/**
 * Keeps the tokens of a {@link TokenProvider}: one for each database, container, partition key and mode, fetched once however many calls wait.
 */
export class Credentials {
  readonly #provider: TokenProvider;
  readonly #runtime: Runtime;
  readonly #entries = new Map<string, Entry>();
  /** Keys whose last token was refused; every key after an invalidation. */
  readonly #refused = new Set<string>();
  #allRefused = false;

  constructor(provider: TokenProvider, runtime: Runtime) {
    this.#provider = provider;
    this.#runtime = runtime;
  }

  /** The token for a call. @throws UNAUTHORIZED, and the provider's own PerigeeErrors */
  async token(access: Access): Promise<string> {
    const key = keyOf(access);
    const known = this.#entries.get(key);
    if (known !== undefined && (known.expiresAtMs === undefined || known.expiresAtMs - EXPIRY_MARGIN_MS > this.#runtime.nowMs())) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return (await known.token).token;
    }
    return (await this.#fetch(key, access)).token;
  }

  /** Forgets a token that the service refused, unless a newer one is there already. */
  async refuse(access: Access, token: string): Promise<void> {
    const key = keyOf(access);
    const known = this.#entries.get(key);
    if (known !== undefined && (await known.token.catch(() => undefined))?.token === token && this.#entries.get(key) === known) {
      this.#entries.delete(key);
      this.#refused.add(key);
    }
  }

  /** Forgets all tokens; those under way are not kept either. */
  invalidate(): void {
    this.#entries.clear();
    this.#refused.clear();
    this.#allRefused = true;
  }

  #fetch(key: string, access: Access): Promise<AccessToken> {
    const refresh = this.#refused.delete(key) || this.#allRefused;
    const entry: Entry = { token: this.#ask({ ...access, refresh }), expiresAtMs: undefined };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_TOKENS) {
      this.#entries.delete(this.#entries.keys().next().value as string);
    }
    return entry.token.then(
      (token) => {
        entry.expiresAtMs = token.expiresAtMs;
        return token;
      },
      (error: unknown) => {
        if (this.#entries.get(key) === entry) {
          this.#entries.delete(key);
        }
        throw error;
      },
    );
  }

  async #ask(request: TokenRequest): Promise<AccessToken> {
    let token: AccessToken | undefined;
    try {
      token = await this.#provider.getToken(request);
    } catch (cause) {
      throw isPerigeeError(cause)
        ? cause
        : new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the token provider failed. `cause` says how.', { cause });
    }
    if (typeof token?.token !== 'string' || token.token === '') {
      throw new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the token provider gave none.');
    }
    return token;
  }
}
