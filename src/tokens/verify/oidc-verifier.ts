import type * as Jose from 'jose';
import type { CryptoKey, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { systemRuntime, type Runtime } from '../../core/runtime.ts';
import { chunksOf, readChunks } from '../read-bounded.ts';
import { bearerOf, type VerifyCaller } from '../service/caller.ts';
import { checkEndpoint } from '../token-endpoint.ts';

type JoseModule = typeof Jose;

/** Settings of {@link oidcVerifier}. */
export interface OidcVerifierOptions {
  /** The issuer, exactly as tokens name it in `iss`. */
  readonly issuer: string;
  /** Who tokens must be for: a value of `aud`. */
  readonly audience: string | readonly string[];
  /** Where the issuer's public keys are; found through `{issuer}/.well-known/openid-configuration` unless given. */
  readonly jwksUrl?: string | URL | undefined;
  /** Signatures that are accepted; RS256, PS256, ES256, ES384 and EdDSA unless said otherwise. Never `none`, and never one with a shared secret. */
  readonly algorithms?: readonly string[] | undefined;
  /** The claim that names the user; `sub` unless said otherwise. */
  readonly subjectClaim?: string | undefined;
  /** How far clocks may be apart, in seconds; 30 unless said otherwise. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Further checks of a verified token; `false` refuses it. */
  readonly accept?: ((claims: JsonObject) => boolean | Promise<boolean>) | undefined;
  /** Fetches configuration and keys: the host's `fetch` unless said otherwise. */
  readonly fetch?: typeof fetch | undefined;
  /** Loads the library: `() => import('jose')` unless said otherwise. */
  readonly loadDriver?: (() => Promise<unknown>) | undefined;
  readonly runtime?: Runtime | undefined;
}

const ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const ASYMMETRIC = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$|^Ed25519$/u;
const MAX_CONFIGURATION_BYTES = 256 * 1024;
const FETCH_TIMEOUT_MS = 5000;
/** Codes of the library that say nothing about the token: the issuer's keys could not be had. */
const KEYS_MISSING: ReadonlySet<unknown> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);
const SEVERAL_KEYS = 'ERR_JWKS_MULTIPLE_MATCHING_KEYS';

function unavailable(): PerigeeError {
  return new PerigeeError('UNAVAILABLE', 'The keys of the identity provider cannot be had. Try again later.');
}

function refused(reason: string): PerigeeError {
  return new PerigeeError('UNAUTHORIZED', `The bearer token is not accepted: ${reason}.`);
}

/** Why a token is not accepted, without a piece of it. */
function reasonOf(error: { readonly code?: unknown; readonly claim?: unknown }): string {
  switch (error.code) {
    case 'ERR_JWT_EXPIRED':
      return 'it has expired';
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return `its claim "${typeof error.claim === 'string' ? error.claim : ''}" is missing or another`;
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
      return 'its algorithm is not permitted';
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'the issuer has no such key';
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'its signature is not that of the issuer';
    default:
      return 'it is no JSON Web Token that can be verified';
  }
}

async function loadJose(load: () => Promise<unknown>): Promise<JoseModule> {
  try {
    return (await load()) as JoseModule;
  } catch (cause) {
    throw new PerigeeError('DRIVER_MISSING', 'Cannot import "jose". Install it beside perigee: npm install jose@6.', { cause });
  }
}

async function discover(issuer: string, send: typeof fetch, runtime: Runtime): Promise<string> {
  const late = new AbortController();
  const cancel = runtime.setTimer(FETCH_TIMEOUT_MS, () => late.abort());
  try {
    const url = `${issuer.replace(/\/$/u, '')}/.well-known/openid-configuration`;
    const response = await send(url, { redirect: 'error', signal: late.signal });
    const text = response.body === null ? '' : await readChunks(chunksOf(response.body), MAX_CONFIGURATION_BYTES);
    const found: unknown = JSON.parse(text ?? '');
    const keysUrl = isJsonObject(found) ? found['jwks_uri'] : undefined;
    if (!response.ok || !isJsonObject(found) || found['issuer'] !== issuer || typeof keysUrl !== 'string') {
      throw unavailable();
    }
    return checkEndpoint('jwks_uri', keysUrl);
  } finally {
    cancel();
    late.abort();
  }
}

class OidcVerifier {
  readonly #options: OidcVerifierOptions;
  readonly #algorithms: string[];
  readonly #runtime: Runtime;
  #ready: Promise<{ readonly jose: JoseModule; readonly keys: JWTVerifyGetKey }> | undefined;

  constructor(options: OidcVerifierOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#algorithms = [...(options.algorithms ?? ALGORITHMS)];
    if (this.#algorithms.length === 0 || !this.#algorithms.every((name) => ASYMMETRIC.test(name))) {
      throw new PerigeeError('INVALID_OPTION', 'algorithms are signatures with a private key, such as RS256, PS256, ES256 or EdDSA.');
    }
    if (options.jwksUrl === undefined) {
      checkEndpoint('issuer', options.issuer);
    } else {
      checkEndpoint('jwksUrl', options.jwksUrl);
    }
    for (const [name, values] of Object.entries({ issuer: [options.issuer], audience: [options.audience].flat() })) {
      if (values.length === 0 || values.some((value) => typeof value !== 'string' || value === '')) {
        throw new PerigeeError('INVALID_OPTION', `${name} is a string that is not empty.`);
      }
    }
  }

  async verify(token: string): Promise<JWTPayload> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw isPerigeeError(error, 'DRIVER_MISSING') ? error : unavailable();
    });
    const { jose, keys } = await this.#ready;
    const { issuer, audience, clockToleranceSeconds = 30, subjectClaim = 'sub' } = this.#options;
    const options: JWTVerifyOptions = {
      issuer,
      audience: [audience].flat(),
      algorithms: this.#algorithms,
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp', subjectClaim],
      currentDate: new Date(this.#runtime.nowMs()),
    };
    try {
      return (await jose.jwtVerify(token, keys, options)).payload;
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (code === SEVERAL_KEYS) {
        return this.#verifyWithAny(jose, token, error as AsyncIterable<CryptoKey>, options);
      }
      // Without a code it is the host's: a connection that failed.
      throw KEYS_MISSING.has(code) || !(typeof code === 'string' && code.startsWith('ERR_J'))
        ? unavailable()
        : refused(reasonOf(error as object));
    }
  }

  /** Tokens need not name their key, and an issuer may have several. */
  async #verifyWithAny(jose: JoseModule, token: string, keys: AsyncIterable<CryptoKey>, options: JWTVerifyOptions): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jose.jwtVerify(token, key, options)).payload;
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') {
          throw refused(reasonOf(error as object));
        }
      }
    }
    throw refused(reasonOf({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' }));
  }

  async #prepare(): Promise<{ readonly jose: JoseModule; readonly keys: JWTVerifyGetKey }> {
    const { issuer, jwksUrl, fetch: send = globalThis.fetch, loadDriver = () => import('jose') } = this.#options;
    const jose = await loadJose(loadDriver);
    const url = jwksUrl === undefined ? await discover(issuer, send, this.#runtime) : String(jwksUrl);
    const keys = jose.createRemoteJWKSet(new URL(url), { timeoutDuration: FETCH_TIMEOUT_MS, [jose.customFetch]: send });
    return { jose, keys };
  }
}

/**
 * Verifies callers by the JSON Web Token of an OpenID Connect provider in `authorization: Bearer`: signature by the provider's public keys, issuer, audience,
 * expiry. Needs the package `jose`. Keys are fetched once, and anew where a token names one that is not known, at most every 30 seconds.
 *
 * What it gives raises UNAUTHORIZED for a token that is not accepted, and UNAVAILABLE where the provider's keys cannot be had: its outage signs nobody out.
 *
 * @throws INVALID_OPTION
 */
export function oidcVerifier(options: OidcVerifierOptions): VerifyCaller {
  const verifier = new OidcVerifier(options);
  const { subjectClaim = 'sub', accept } = options;
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) {
      return undefined;
    }
    const claims = (await verifier.verify(token)) as JsonObject;
    const subject = claims[subjectClaim];
    if (typeof subject !== 'string') {
      throw refused('the claim that names the user is no string');
    }
    if (accept !== undefined && !(await accept(claims))) {
      throw new PerigeeError('FORBIDDEN', 'The bearer token is good, but the service does not accept its claims.');
    }
    return { subject, claims };
  };
}
