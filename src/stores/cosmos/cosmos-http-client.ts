import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { CosmosClientOptions } from '@azure/cosmos';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { sleep } from '../../core/runtime.ts';
import { abortable } from '../../store/call-tracker.ts';
import type { TokenKeeper } from '../../store/token-provider.ts';
import { CallScope, WireFailure } from './call-scope.ts';
import { badResponse, isMovedAccount, parseJson, refusal, retryAfterOf, subStatusOf, type WireAnswer } from './cosmos-errors.ts';
import type { ConnectionSettings } from './cosmos-options.ts';
import { exchange, ExchangeError, type Exchange, type ExchangeOptions, type WireRequest } from './http-exchange.ts';
import { WireHeaders } from './wire-headers.ts';

/** The SDK's port for sending requests. */
export type HttpClient = NonNullable<CosmosClientOptions['httpClient']>;
type PipelineRequest = Parameters<HttpClient['sendRequest']>[0];
type PipelineResponse = Awaited<ReturnType<HttpClient['sendRequest']>>;

const SAFE_RETRIES = 2;
const SHORTEST_THROTTLE_MS = 5;
const LONGEST_GUESSED_THROTTLE_MS = 1000;

/** An answer that the SDK is given without a request. */
function local(body: string): WireAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** The delay that the service asks for; `undefined` when the answer is no throttle. An atomic batch says so within a 207. */
function throttleOf(answer: WireAnswer): { readonly delayMs: number | undefined } | undefined {
  if (answer.status === 429) {
    return { delayMs: retryAfterOf(answer) };
  }
  if (answer.status === 207) {
    const outcomes = parseJson(answer.body);
    const throttled: unknown = Array.isArray(outcomes) ? outcomes.find((one) => isJsonObject(one) && one['statusCode'] === 429) : undefined;
    if (isJsonObject(throttled)) {
      const delay = throttled['retryAfterMilliseconds'];
      return { delayMs: typeof delay === 'number' && delay >= 0 ? delay : undefined };
    }
  }
  return undefined;
}

/**
 * What the SDK sends its requests through.
 *
 * It owns the connections; gives each failure its typed error before the SDK can lose it; refreshes a refused token once; waits when the service
 * throttles; and spares the requests that the SDK adds but the call does not need: reads of a container that is known, and query plans that
 * the answer to the query makes needless.
 */
export class CosmosHttpClient implements HttpClient {
  readonly #settings: ConnectionSettings;
  readonly #credentials: TokenKeeper | undefined;
  readonly #agent: HttpAgent;
  readonly #exchange: Exchange;

  constructor(settings: ConnectionSettings, credentials: TokenKeeper | undefined) {
    this.#settings = settings;
    this.#exchange = settings.exchange ?? exchange;
    this.#credentials = credentials;
    // Own agents: the SDK's are shared by all clients of the process, and nobody may close those.
    this.#agent =
      settings.agent ?? (settings.endpoint.startsWith('https:') ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true }));
  }

  /** Closes idle connections, and those in use. */
  close(): void {
    if (this.#settings.agent === undefined) {
      this.#agent.destroy();
    }
  }

  /** The token of the call that the SDK asks for. */
  async tokenOfCall(): Promise<string> {
    const scope = CallScope.current();
    const credentials = this.#credentials as TokenKeeper;
    if (scope === undefined) {
      return (await credentials.token({ databaseId: undefined, container: undefined, partitionKey: undefined, mode: 'read' })).token;
    }
    try {
      return (await this.#inTime(scope, credentials.token(scope.access))).token;
    } catch (error) {
      throw this.#asFailure(scope, error);
    }
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const scope = CallScope.current();
    const answer = scope === undefined ? await this.#sendPlain(request) : await this.#sendInScope(request, scope);
    return { request, status: answer.status, headers: new WireHeaders(answer.headers), bodyAsText: answer.body };
  }

  /** Requests of the SDK's own background work. */
  #sendPlain(request: PipelineRequest): Promise<WireAnswer> {
    return this.#exchange(wireOf(request, {}), this.#exchangeOptions(request.abortSignal as AbortSignal | undefined, undefined));
  }

  async #sendInScope(request: PipelineRequest, scope: CallScope): Promise<WireAnswer> {
    if (request.headers.has('x-ms-cosmos-is-query-plan-request') && !(await scope.planNeeded)) {
      return local('{}');
    }
    if (request.method === 'GET' && scope.container !== undefined && request.url.endsWith(scope.container.path)) {
      return local(scope.container.body);
    }
    const answer = await this.#settled(request, scope);
    if (answer.status < 300 || answer.status === 304) {
      scope.record(answer);
      // The SDK may ask for other things before the answer to the query tells whether its plan is needed.
      if (request.headers.has('x-ms-documentdb-isquery')) {
        scope.settlePlan(false);
      }
      return answer;
    }
    scope.measure(answer);
    const failure = refusal(scope, answer);
    if (this.#isForSdk(answer, failure, request)) {
      scope.suspect(failure);
      scope.settlePlan(answer.status === 400);
      return answer;
    }
    throw scope.fail(failure);
  }

  /** Whether the SDK has a way on from a refusal, other than waiting. */
  #isForSdk(answer: WireAnswer, failure: PerigeeError, request: PipelineRequest): boolean {
    const body = parseJson(answer.body);
    if (failure.code === 'BAD_RESPONSE' || !isJsonObject(body) || typeof body['message'] !== 'string') {
      return false;
    }
    if (answer.status === 400) {
      return (
        request.headers.has('x-ms-documentdb-isquery') &&
        (body['additionalErrorInfo'] !== undefined || body['message'].includes('Cross partition query only supports'))
      );
    }
    if (answer.status === 410) {
      return request.headers.has('x-ms-documentdb-partitionkeyrangeid') && request.headers.has('x-ms-documentdb-isquery');
    }
    return (
      this.#settings.endpointDiscovery &&
      (isMovedAccount(answer.status, subStatusOf(answer)) || answer.status === 503 || failure.code === 'SESSION_NOT_AVAILABLE')
    );
  }

  /** Sends until the answer is neither a throttle that clears nor a token that a refresh mends. */
  async #settled(request: PipelineRequest, scope: CallScope): Promise<WireAnswer> {
    const wire = wireOf(request, scope.headers);
    let authorization: string | undefined;
    for (;;) {
      const answer = await this.#deliver(
        authorization === undefined ? wire : withHeader(wire, 'authorization', authorization),
        request,
        scope,
      );
      const throttle = throttleOf(answer);
      if (throttle !== undefined) {
        scope.measure(answer);
        if (!(await this.#wait(scope, throttle.delayMs))) {
          return answer;
        }
      } else if (authorization === undefined && this.#isRefusedToken(answer)) {
        authorization = await this.#refreshed(scope, wire.headers['authorization']);
      } else {
        return answer;
      }
    }
  }

  #isRefusedToken(answer: WireAnswer): boolean {
    return (
      this.#credentials !== undefined &&
      this.#settings.key === undefined &&
      (answer.status === 401 || (answer.status === 403 && !isMovedAccount(answer.status, subStatusOf(answer))))
    );
  }

  async #refreshed(scope: CallScope, refused: string | undefined): Promise<string> {
    const credentials = this.#credentials as TokenKeeper;
    this.#settings.logger.log('info', 'The service refused a token; fetching another.', { container: scope.access.container });
    try {
      credentials.refuse(scope.access, decodeURIComponent(refused ?? ''));
      return encodeURIComponent((await this.#inTime(scope, credentials.token(scope.access))).token);
    } catch (error) {
      throw this.#asFailure(scope, error);
    }
  }

  /** Waits as the service asks; `false` when the call has waited long enough. */
  async #wait(scope: CallScope, asked: number | undefined): Promise<boolean> {
    const guess = Math.min(LONGEST_GUESSED_THROTTLE_MS, SHORTEST_THROTTLE_MS * 2 ** Math.min(scope.throttles, 8));
    const delayMs = Math.max(asked ?? 0, guess);
    if (scope.throttledMs + delayMs > this.#settings.maxThrottleWaitMs) {
      return false;
    }
    scope.throttles += 1;
    scope.throttledMs += delayMs;
    this.#settings.logger.log('debug', 'The service throttles; waiting.', { delayMs, container: scope.access.container });
    try {
      await sleep(this.#settings.runtime, delayMs, scope.signal);
    } catch {
      throw new WireFailure(undefined);
    }
    return true;
  }

  async #deliver(wire: WireRequest, request: PipelineRequest, scope: CallScope): Promise<WireAnswer> {
    const options = this.#exchangeOptions(request.abortSignal as AbortSignal | undefined, scope.signal);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#exchange(wire, options);
      } catch (error) {
        // A call that changes nothing is repeated when an idle connection turned out closed; a write might have been applied.
        if (!(error instanceof ExchangeError && error.stale && scope.access.mode === 'read' && attempt < SAFE_RETRIES)) {
          throw this.#faultOf(scope, error);
        }
      }
    }
  }

  #exchangeOptions(sdkSignal: AbortSignal | undefined, signal: AbortSignal | undefined): ExchangeOptions {
    const { runtime, connectTimeoutMs, requestTimeoutMs } = this.#settings;
    const signals = [sdkSignal, signal].filter((one) => one !== undefined);
    return { runtime, agent: this.#agent, connectTimeoutMs, requestTimeoutMs, signals };
  }

  #faultOf(scope: CallScope, error: unknown): Error {
    if (!(error instanceof ExchangeError)) {
      return scope.fail(new PerigeeError('INTERNAL', `Cannot ${scope.attempt}: the transport failed.`, { cause: error }));
    }
    const { attempt } = scope;
    const { cause } = error;
    switch (error.fault) {
      case 'aborted':
        return new WireFailure(undefined);
      case 'unreachable':
        return this.#unreachable(scope, cause);
      case 'late':
        return scope.fail(
          new PerigeeError('TIMEOUT', `Cannot ${attempt}: no answer within ${this.#settings.requestTimeoutMs} ms. The outcome is unknown.`),
        );
      case 'garbled':
        return scope.fail(badResponse(scope, 'not HTTP', undefined, cause));
      case 'invalid':
        return scope.fail(
          new PerigeeError('BAD_REQUEST', `Cannot ${attempt}: an etag, a session or a token cannot be written as an HTTP header.`, {
            cause,
          }),
        );
      case 'lost':
        return scope.fail(
          new PerigeeError(
            'CONNECTION_LOST',
            `Cannot ${attempt}: the connection ended before the answer was complete. The outcome is unknown.`,
            {
              cause,
            },
          ),
        );
      default:
        return error.fault satisfies never;
    }
  }

  /** Lets the SDK try another region, where it may, as long as a connection may take. */
  #unreachable(scope: CallScope, cause: unknown): Error {
    const { runtime, endpointDiscovery, connectTimeoutMs } = this.#settings;
    const { host } = new URL(this.#settings.endpoint);
    const failure = new PerigeeError(
      'UNREACHABLE',
      `Cannot ${scope.attempt}: ${host} cannot be reached (${reasonOf(cause)}). Check the network and the endpoint; nothing was sent.`,
      { cause, details: { host } },
    );
    const wireFailure = scope.fail(failure);
    const nowMs = runtime.monotonicMs();
    scope.unreachableSinceMs ??= nowMs;
    // The SDK looks at this code for whether to try another region, and would go on for two minutes.
    return endpointDiscovery && nowMs - scope.unreachableSinceMs < connectTimeoutMs && reasonOf(cause) !== 'no connection in time'
      ? Object.assign(wireFailure, { code: 'ENOTFOUND' })
      : wireFailure;
  }

  async #inTime<R>(scope: CallScope, work: Promise<R>): Promise<R> {
    const { runtime, requestTimeoutMs } = this.#settings;
    const timeout = new AbortController();
    const cancel = runtime.setTimer(requestTimeoutMs, () =>
      timeout.abort(
        new PerigeeError(
          'TIMEOUT',
          `Cannot ${scope.attempt}: the token provider gave no token within ${requestTimeoutMs} ms. Nothing was sent.`,
        ),
      ),
    );
    try {
      return await abortable(work, scope.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, scope.signal]));
    } finally {
      cancel();
    }
  }

  #asFailure(scope: CallScope, error: unknown): WireFailure {
    return scope.signal?.aborted === true ? new WireFailure(undefined) : scope.fail(error as PerigeeError);
  }
}

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'no connection in time';
}

function withHeader(wire: WireRequest, name: string, value: string): WireRequest {
  return { ...wire, headers: { ...wire.headers, [name]: value } };
}

function wireOf(request: PipelineRequest, overrides: Readonly<Record<string, string | undefined>>): WireRequest {
  const headers: Record<string, string> = request.headers.toJSON();
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) {
      delete headers[name];
    } else {
      headers[name] = value;
    }
  }
  return { method: request.method, url: request.url, headers, body: typeof request.body === 'string' ? request.body : undefined };
}
