import type { ErrorCode } from '../../core/error-codes.ts';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { LazyModule } from '../../core/lazy-module.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { systemRuntime, type Runtime } from '../../core/runtime.ts';
import { checkResourceName } from '../../store/ids.ts';
import { checkConnectionOptions } from '../../stores/cosmos/cosmos-options.ts';
import { partitionKeyJson } from '../../store/partition-key.ts';
import { checkCaller, type Caller } from './caller.ts';
import { azureHandler, fetchHandler, nodeHandler, type AzureHandler, type FetchHandler, type NodeHandler } from './handlers.ts';
import { RateLimiter } from './rate-limiter.ts';
import { readBody, readHeaders } from './read-request.ts';
import { errorResponse, jsonResponse, type ServiceRequest, type ServiceResponse } from './service-messages.ts';
import type { TokenAccount } from './token-account.ts';
import { readDemand, type TokenDemand } from './token-demand.ts';
import { decideScope, type TokenGrant } from './token-grants.ts';
import type { TokenServiceOptions } from './token-service-options.ts';

const MIN_LIFETIME_SECONDS = 10;
const MAX_LIFETIME_SECONDS = 86_400;
/** What callers are told of; anything else is the operator's matter. */
const FOR_CALLERS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'TOKEN_EXPIRED',
  'NOT_FOUND',
  'TOO_LARGE',
  'THROTTLED',
  'UNAVAILABLE',
  'INTERNAL',
]);
/** What the account says of a partition key that does not fit its container. */
const REFUSED_KEY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BAD_REQUEST', 'PARTITION_KEY_MISMATCH']);
const FAILED = new PerigeeError('INTERNAL', 'The service cannot issue tokens. Its log says why.');
const AWAY = new PerigeeError('UNAVAILABLE', 'Something that the service needs cannot be reached. Try again later.');
const accountModule = new LazyModule(() => import('./token-account.ts'));

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', message);
}

function wholeNumber(name: string, value: number | undefined, fallback: number, least: number, most: number): number {
  const checked = value ?? fallback;
  if (!Number.isInteger(checked) || checked < least || checked > most) {
    throw invalid(`${name} is a whole number from ${least} to ${most}.`);
  }
  return checked;
}

/** What the caller is told when the account fails: of the account's own refusals nothing, as they are the operator's matter. */
function told(error: PerigeeError): PerigeeError {
  switch (error.category) {
    case 'throttle':
      return new PerigeeError('THROTTLED', 'The account is asked too often. Wait `retryAfterMs`.', {
        retryAfterMs: error.retryAfterMs,
        subStatus: 0,
      });
    case 'connection':
    case 'timeout':
      return new PerigeeError('UNAVAILABLE', 'The account cannot be reached. Try again later.');
    default:
      if (error.code === 'NOT_FOUND') {
        return new PerigeeError('NOT_FOUND', 'The account has no such container.');
      }
      return REFUSED_KEY.has(error.code)
        ? new PerigeeError('BAD_REQUEST', 'The account does not accept this partition key for the container.')
        : FAILED;
  }
}

/** Gives tokens of an account to callers that it knows, each scoped to one partition key. */
export class TokenService {
  /** For `http.createServer`, and for Express and the like: `app.post('/tokens', service.nodeHandler)`. */
  readonly nodeHandler: NodeHandler;
  /** For servers that speak the `Request` and `Response` of the Web. */
  readonly fetch: FetchHandler;
  /** For Azure Functions, programming model 4: `app.http('tokens', { methods: ['POST'], authLevel: 'anonymous', handler: service.azureHandler })`. */
  readonly azureHandler: AzureHandler;
  readonly #options: TokenServiceOptions;
  readonly #containers: ReadonlySet<string>;
  readonly #lifetimeSeconds: number;
  readonly #maxBodyBytes: number;
  readonly #maxHeaderCharacters: number;
  readonly #limiter: RateLimiter;
  readonly #logger: Logger;
  readonly #runtime: Runtime;
  #account: Promise<TokenAccount> | undefined;
  #closed = false;

  /** @internal */
  constructor(options: TokenServiceOptions) {
    const { containers, verify } = options;
    if (!Array.isArray(containers) || containers.length === 0) {
      throw invalid('containers names at least one container that tokens are given for.');
    }
    if (typeof verify !== 'function') {
      throw invalid('verify is a function that tells who sends a request, such as oidcVerifier({ issuer, audience }).');
    }
    const { database, loadDriver: _loadDriver, ...connection } = options.account;
    checkResourceName(database);
    checkConnectionOptions(connection);
    this.#containers = new Set(containers.map(checkResourceName));
    this.#lifetimeSeconds = wholeNumber('lifetimeSeconds', options.lifetimeSeconds, 3600, MIN_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS);
    this.#maxBodyBytes = wholeNumber('maxBodyBytes', options.maxBodyBytes, 8192, 256, 1024 * 1024);
    this.#maxHeaderCharacters = wholeNumber('maxHeaderCharacters', options.maxHeaderCharacters, 32_768, 256, 1024 * 1024);
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#limiter = new RateLimiter(options.rateLimit ?? {}, this.#runtime);
    const handle = (request: ServiceRequest): Promise<ServiceResponse> => this.handle(request);
    this.nodeHandler = nodeHandler(handle);
    this.fetch = fetchHandler(handle);
    this.azureHandler = azureHandler(handle);
  }

  /**
   * Answers a request: `POST` with a JSON object of `container`, `partitionKey` and `mode`. Always resolves; what went wrong is JSON with `code` and
   * `message`. The path is not looked at.
   */
  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (isPerigeeError(error)) {
        if (FOR_CALLERS.has(error.code)) {
          this.#logger.log('info', 'A request for a token was refused.', { code: error.code });
          return errorResponse(error);
        }
        this.#logger.log('error', 'A request for a token failed.', { error });
        return errorResponse(error.category === 'connection' || error.category === 'timeout' ? AWAY : FAILED);
      }
      // What was thrown may repeat the credential, so only its kind is noted.
      this.#logger.log('error', 'A request for a token failed: a function given to the service threw.', {
        name: (error as Error | undefined)?.name,
      });
      return errorResponse(FAILED);
    }
  }

  /**
   * Looks whether the account can be reached and has the containers.
   *
   * @throws DRIVER_MISSING, UNREACHABLE, UNAUTHORIZED, NOT_FOUND and others
   */
  async check(): Promise<void> {
    await (await this.#open()).check([...this.#containers]);
  }

  /** Closes the connections to the account. Closing twice is allowed. */
  async close(): Promise<void> {
    this.#closed = true;
    const account = await this.#account?.catch(() => undefined);
    this.#account = undefined;
    account?.close();
  }

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    if (request.method.toUpperCase() !== 'POST') {
      throw new PerigeeError('BAD_REQUEST', 'Tokens are asked for with POST.', { status: 405 });
    }
    const headers = readHeaders(request, this.#maxHeaderCharacters);
    const caller = checkCaller(await this.#options.verify({ method: 'POST', headers }));
    this.#limiter.take(caller.subject);
    const demand = readDemand(await readBody(request, headers, this.#maxBodyBytes));
    const scope = decideScope(await this.#grantsOf(caller, demand), demand);
    const nowMs = this.#runtime.nowMs();
    const { token, userId } = await this.#issued(caller.subject, scope);
    const lifetimeSeconds = this.#lifetimeSeconds;
    this.#logger.log('info', 'A token was issued.', { userId, container: scope.container, mode: scope.mode, lifetimeSeconds });
    return jsonResponse(200, {
      token,
      // The account counts in whole seconds.
      expiresAtMs: (Math.floor(nowMs / 1000) + lifetimeSeconds) * 1000,
      lifetimeSeconds,
      partitionKey: scope.partitionKey === undefined ? undefined : partitionKeyJson(scope.partitionKey),
      container: scope.container,
      mode: scope.mode,
    });
  }

  async #grantsOf(caller: Caller, { database, container }: TokenDemand): Promise<readonly TokenGrant[]> {
    if (!this.#containers.has(container) || (database !== undefined && database !== this.#options.account.database)) {
      throw new PerigeeError('FORBIDDEN', 'The service gives no tokens for this container.');
    }
    const { partitionKeysOf } = this.#options;
    return partitionKeysOf === undefined ? [caller.subject] : partitionKeysOf(caller, container);
  }

  async #issued(subject: string, scope: ReturnType<typeof decideScope>): Promise<{ readonly token: string; readonly userId: string }> {
    try {
      return await (await this.#open()).issue(subject, scope, this.#lifetimeSeconds);
    } catch (error) {
      this.#logger.log('error', 'The account gave no token.', { error });
      throw isPerigeeError(error) ? told(error) : error;
    }
  }

  #open(): Promise<TokenAccount> {
    if (this.#closed) {
      throw new PerigeeError('CLOSED', 'The token service is closed. Create it again.');
    }
    this.#account ??= accountModule
      .load()
      .then(({ TokenAccount: Account }) => Account.open(this.#options.account, { runtime: this.#runtime, logger: this.#logger }))
      .catch((error: unknown) => {
        this.#account = undefined;
        throw error;
      });
    return this.#account;
  }
}

/**
 * Creates a token service: it verifies who asks, makes a user and a permission in the account, and gives a token that permits one partition key of one
 * container until it expires. Mount one of its handlers in any server, or call {@link TokenService.handle}; `docs/tokens.md` shows how.
 *
 * @throws INVALID_OPTION, INVALID_ID
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 * import { startServer, WELL_KNOWN_KEY } from 'perigee/server';
 * import { createTokenService } from 'perigee/tokens';
 *
 * const backend = openMemoryBackend();
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'todos', partitionKey: '/owner' });
 * const server = await startServer({ backend, port: 0 });
 *
 * const service = createTokenService({
 *   account: { endpoint: server.url, key: WELL_KNOWN_KEY, database: 'app' },
 *   containers: ['todos'],
 *   verify: ({ headers }) => (headers.authorization === 'Bearer from my login' ? { subject: 'ada' } : undefined),
 * });
 * const ask = { method: 'POST', headers: { authorization: 'Bearer from my login' }, body: '{"container":"todos"}' };
 * const { token, ...facts } = JSON.parse((await service.handle(ask)).body);
 * console.log(facts.partitionKey, facts.mode, facts.lifetimeSeconds); // -> [ 'ada' ] read 3600
 * console.log((await service.handle({ ...ask, headers: {} })).status); // -> 401
 *
 * await service.close();
 * await server.close();
 * await backend.close();
 * ```
 */
export function createTokenService(options: TokenServiceOptions): TokenService {
  return new TokenService(options);
}
