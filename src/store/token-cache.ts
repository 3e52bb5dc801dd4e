import { PerigeeError, isPerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import { partitionKeyText } from './partition-key.ts';
import type { AccessToken, TokenAccess, TokenKeeper, TokenProvider } from './token-provider.ts';

/** A token is not used any more this long before it expires, so that none expires under way; less for one that lives shortly. */
const LONGEST_MARGIN_MS = 5000;
const DEFAULT_FRACTION = 0.75;
/** Part of what is left of a token's life after which a renewal that failed is tried again. */
const RETRY_FRACTION = 0.25;
/** Tokens held at most; the one unused for longest goes first. */
const MAX_TOKENS = 1000;

/** Settings of a {@link TokenCache}. */
export interface TokenCacheOptions {
  readonly runtime: Runtime;
  /** Part of a token's life after which it is renewed, above 0 and below 1; 0.75 unless said otherwise. */
  readonly refreshAtFraction?: number | undefined;
}

interface Held {
  readonly token: string;
  readonly askedAtMs: number;
  readonly askedAtMonotonicMs: number;
  /** `undefined`: it is used until it is refused. */
  readonly lifeMs: number | undefined;
  /** Age at which it is renewed. */
  renewAtMs: number;
}

interface Slot {
  held: Held | undefined;
  /** The one request under way. */
  flight: Promise<Held> | undefined;
  /** The next answer must not come out of a cache. */
  fresh: boolean;
  /** The token that the service refused last. */
  refused: string | undefined;
}

function keyOf({ databaseId, container, partitionKey, mode }: TokenAccess): string {
  return JSON.stringify([databaseId ?? null, container ?? null, partitionKey === undefined ? null : partitionKeyText(partitionKey), mode]);
}

/** Checks a fraction of a life. @throws INVALID_OPTION */
export function checkRefreshFraction(value: number | undefined): number {
  const checked = value ?? DEFAULT_FRACTION;
  if (typeof checked !== 'number' || !(checked > 0 && checked < 1)) {
    throw new PerigeeError('INVALID_OPTION', 'refreshAtFraction is a number above 0 and below 1.');
  }
  return checked;
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/**
 * Keeps the tokens of a {@link TokenProvider}: one for each database, container, partition key and mode, fetched once however many calls wait.
 *
 * A token is renewed in the background when a part of its life has passed, and the calls meanwhile go on with the one that is still good. Its age is
 * measured on this device, from when it was asked for, so a clock that is wrong or is set does no harm. A token that has expired when it comes is
 * used until it is refused: either the clock is wrong, or the service will say so.
 */
export class TokenCache implements TokenKeeper {
  readonly #provider: Pick<TokenProvider, 'getToken'>;
  readonly #runtime: Runtime;
  readonly #fraction: number;
  readonly #slots = new Map<string, Slot>();
  #invalidated = false;

  /** @throws INVALID_OPTION */
  constructor(provider: Pick<TokenProvider, 'getToken'>, options: TokenCacheOptions) {
    this.#provider = provider;
    this.#runtime = options.runtime;
    this.#fraction = checkRefreshFraction(options.refreshAtFraction);
  }

  /** The token for a call. @throws UNAUTHORIZED, and the provider's own PerigeeErrors but those about data */
  async token(access: TokenAccess): Promise<AccessToken> {
    const slot = this.#slotOf(keyOf(access));
    const { held } = slot;
    if (held !== undefined && this.#isGood(held)) {
      if (this.#ageOf(held) >= held.renewAtMs && slot.flight === undefined) {
        this.#renew(slot, access, held);
      }
      return this.#shown(held);
    }
    slot.held = undefined;
    try {
      return this.#shown(await this.#fetch(slot, access));
    } catch (cause) {
      // An error about data would pass for one about the document that the call is about.
      throw isPerigeeError(cause) && cause.category !== 'data'
        ? cause
        : new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the token provider failed. `cause` says how.', { cause });
    }
  }

  /** A token that was not there before, for a call whose last one was refused. @throws as {@link token} */
  renewed(access: TokenAccess): Promise<AccessToken> {
    const slot = this.#slotOf(keyOf(access));
    slot.held = undefined;
    slot.fresh = true;
    return this.token(access);
  }

  refuse(access: TokenAccess, token: string): void {
    const slot = this.#slots.get(keyOf(access));
    if (slot?.held?.token === token) {
      slot.held = undefined;
      slot.fresh = true;
      slot.refused = token;
    }
  }

  invalidate(): void {
    this.#slots.clear();
    this.#invalidated = true;
  }

  #slotOf(key: string): Slot {
    const slot = this.#slots.get(key) ?? { held: undefined, flight: undefined, fresh: this.#invalidated, refused: undefined };
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    if (this.#slots.size > MAX_TOKENS) {
      this.#slots.delete(this.#slots.keys().next().value as string);
    }
    return slot;
  }

  #fetch(slot: Slot, access: TokenAccess): Promise<Held> {
    slot.flight ??= this.#obtain(slot, access).finally(() => {
      slot.flight = undefined;
    });
    return slot.flight;
  }

  async #obtain(slot: Slot, access: TokenAccess): Promise<Held> {
    const { fresh } = slot;
    let held = await this.#ask(access, fresh);
    if (!fresh && slot.fresh && (slot.refused === undefined || slot.refused === held.token)) {
      // It was refused while this request was under way, which therefore did not ask for another.
      held = await this.#ask(access, true);
    }
    slot.fresh = false;
    slot.refused = undefined;
    const before = slot.held;
    if (before !== undefined && this.#leftOf(before) >= this.#leftOf(held)) {
      this.#putOff(before, 0);
    } else {
      slot.held = held;
    }
    return held;
  }

  async #ask(access: TokenAccess, refresh: boolean): Promise<Held> {
    const askedAtMs = this.#runtime.nowMs();
    const askedAtMonotonicMs = this.#runtime.monotonicMs();
    const given: AccessToken | undefined = await this.#provider.getToken({ ...access, refresh });
    if (typeof given?.token !== 'string' || given.token === '') {
      throw new PerigeeError('UNAUTHORIZED', 'Cannot get a token: the token provider gave none.');
    }
    const expiresAtMs = finite(given.expiresAtMs);
    const life = finite(given.lifetimeMs) ?? (expiresAtMs === undefined ? undefined : expiresAtMs - askedAtMs);
    const lifeMs = life === undefined || life <= 0 ? undefined : life;
    const renewAtMs = lifeMs === undefined ? Number.POSITIVE_INFINITY : lifeMs * this.#fraction;
    return { token: given.token, askedAtMs, askedAtMonotonicMs, lifeMs, renewAtMs };
  }

  /** Renews a token that is still good; who needs one meanwhile has it. */
  #renew(slot: Slot, access: TokenAccess, held: Held): void {
    this.#fetch(slot, access).catch((error: unknown) => {
      if (isPerigeeError(error) && error.category === 'auth' && slot.held === held) {
        // The next call asks by itself, and learns why.
        slot.held = undefined;
      } else {
        this.#putOff(held, (isPerigeeError(error) ? error.retryAfterMs : undefined) ?? 0);
      }
    });
  }

  #putOff(held: Held, atLeastMs: number): void {
    held.renewAtMs = this.#ageOf(held) + Math.max(atLeastMs, this.#leftOf(held) * RETRY_FRACTION);
  }

  /** The wall clock counts where it says more: the other one stands still while a device sleeps. */
  #ageOf(held: Held): number {
    return Math.max(this.#runtime.monotonicMs() - held.askedAtMonotonicMs, this.#runtime.nowMs() - held.askedAtMs);
  }

  #leftOf(held: Held): number {
    return held.lifeMs === undefined ? Number.POSITIVE_INFINITY : held.lifeMs - this.#ageOf(held);
  }

  #isGood(held: Held): boolean {
    return held.lifeMs === undefined || this.#leftOf(held) > Math.min(LONGEST_MARGIN_MS, (held.lifeMs * (1 - this.#fraction)) / 2);
  }

  #shown(held: Held): AccessToken {
    if (held.lifeMs === undefined) {
      return { token: held.token };
    }
    const lifetimeMs = this.#leftOf(held);
    return { token: held.token, expiresAtMs: this.#runtime.nowMs() + lifetimeMs, lifetimeMs };
  }
}
