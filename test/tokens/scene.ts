/** A whole scene, all of it real: an account, an identity provider with keys over HTTP, and the token service between them. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';
import type { LogLevel, Logger } from '../../src/core/logger.ts';
import { isPerigeeError, type PerigeeError } from '../../src/core/errors.ts';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../src/server/index.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import {
  createTokenService,
  httpTokens,
  oidcVerifier,
  type HttpTokensOptions,
  type TokenService,
  type TokenServiceOptions,
  type TokenSource,
} from '../../src/tokens/index.ts';
import type { Runtime } from '../../src/core/runtime.ts';

export const AUDIENCE = 'https://api.example.com';

/** Serves on a free port of this machine until the test is over. */
export async function serveHttp(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

/** An identity provider: its configuration and keys over HTTP, and tokens that it signs. */
export class Issuer {
  readonly url: string;
  readonly #key: CryptoKey;
  /** Answers with 503 while set. */
  down = false;
  requests: string[] = [];
  jwks: { keys: object[] };

  private constructor(url: string, key: CryptoKey, jwks: { keys: object[] }) {
    this.url = url;
    this.#key = key;
    this.jwks = jwks;
  }

  static async start(): Promise<Issuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] };
    let issuer: Issuer | undefined = undefined as Issuer | undefined;
    const { url } = await serveHttp((request, response) => {
      const { url: path = '' } = request;
      issuer?.requests.push(path);
      if (issuer?.down === true) {
        response.writeHead(503).end();
      } else if (path === '/.well-known/openid-configuration') {
        response.end(JSON.stringify({ issuer: issuer?.url, jwks_uri: `${issuer?.url}/keys` }));
      } else {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(issuer?.jwks));
      }
    });
    issuer = new Issuer(url.slice(0, -1), privateKey, jwks);
    return issuer;
  }

  /** A token, right in every way but for what is said otherwise. */
  sign(
    claims: JWTPayload = {},
    options: { readonly key?: CryptoKey | Uint8Array; readonly alg?: string; readonly kid?: string | undefined } = {},
  ): Promise<string> {
    const seconds = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, aud: AUDIENCE, sub: 'ada', iat: seconds, exp: seconds + 600, ...claims };
    const header = {
      alg: options.alg ?? 'ES256',
      ...('kid' in options ? {} : { kid: 'k1' }),
      ...(options.kid === undefined ? {} : { kid: options.kid }),
    };
    return new SignJWT(JSON.parse(JSON.stringify(payload)) as JWTPayload).setProtectedHeader(header).sign(options.key ?? this.#key);
  }
}

/** Remembers all that is logged. */
export class CapturedLog implements Logger {
  readonly records: { readonly level: LogLevel; readonly message: string; readonly fields: unknown }[] = [];

  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.records.push({ level, message, fields });
  }

  /** Everything, errors with their causes and stacks included. */
  text(): string {
    const seen = new Set<unknown>();
    const walk = (value: unknown): string => {
      if (typeof value !== 'object' || value === null || seen.has(value)) {
        return String(value);
      }
      seen.add(value);
      return Reflect.ownKeys(value)
        .map((key) => `${String(key)}=${walk((value as Record<PropertyKey, unknown>)[key])}`)
        .join('\n');
    };
    return walk(this.records);
  }
}

/** An account with one database and the container `todos`, partitioned by `/owner`. */
export async function startAccount(runtime?: Runtime): Promise<{ readonly server: PerigeeServer; readonly cloud: MemoryBackend }> {
  const cloud = openMemoryBackend(runtime === undefined ? {} : { runtime });
  await cloud.createDatabase('app');
  await cloud.createContainer('app', { id: 'todos', partitionKey: '/owner', defaultTtl: -1 });
  await cloud.createContainer('app', { id: 'secrets', partitionKey: '/owner' });
  const server = await startServer({ backend: cloud, port: 0, runtime });
  onTestFinished(async () => {
    await server.close();
    await cloud.close();
  });
  return { server, cloud };
}

/** What a scene is made of, where it is not as usual. */
export interface SceneOptions extends Partial<Omit<TokenServiceOptions, 'account'>> {
  readonly account?: Partial<TokenServiceOptions['account']>;
  /** Clock of the account. */
  readonly accountRuntime?: Runtime;
}

export interface Scene {
  readonly server: PerigeeServer;
  readonly cloud: MemoryBackend;
  readonly issuer: Issuer;
  readonly service: TokenService;
  /** Address of the token service. */
  readonly url: string;
  readonly log: CapturedLog;
  /** Requests that the token service has had. */
  readonly asked: () => number;
  /** Tokens through the service, for users who are signed in at the provider. */
  source(options?: Partial<HttpTokensOptions>): TokenSource;
  /** Asks as any HTTP client does. */
  ask(
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> }>;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const { account, accountRuntime, ...rest } = options;
  const { server, cloud } = await startAccount(accountRuntime);
  const issuer = await Issuer.start();
  const log = new CapturedLog();
  const service = createTokenService({
    account: { endpoint: server.url, key: WELL_KNOWN_KEY, database: 'app', ...account },
    containers: ['todos'],
    verify: oidcVerifier({ issuer: issuer.url, audience: AUDIENCE }),
    logger: log,
    ...rest,
  });
  onTestFinished(() => service.close());
  let asked = 0;
  const { url } = await serveHttp((request, response) => {
    asked += 1;
    void service.nodeHandler(request, response);
  });
  return {
    server,
    cloud,
    issuer,
    service,
    url,
    log,
    asked: () => asked,
    source: (more = {}) =>
      httpTokens({ url, headers: async ({ user }) => ({ authorization: `Bearer ${await issuer.sign({ sub: user })}` }), ...more }),
    ask: async (body, headers) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: headers ?? { authorization: `Bearer ${await issuer.sign()}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
    },
  };
}

/** The error that a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<PerigeeError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isPerigeeError(error)) {
    throw new Error('The call did not fail with a PerigeeError.', { cause: error });
  }
  return error;
}
