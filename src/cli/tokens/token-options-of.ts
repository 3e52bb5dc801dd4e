import { PerigeeError } from '../../core/errors.ts';
import { isLoopbackHost } from '../../tokens/token-endpoint.ts';
import type { Caller, VerifyCaller } from '../../tokens/service/caller.ts';
import type { TokenServiceOptions } from '../../tokens/service/token-service-options.ts';
import { developmentVerifier } from '../../tokens/verify/development-verifier.ts';
import { oidcVerifier } from '../../tokens/verify/oidc-verifier.ts';

/** What the command line of `perigee tokens` says, as it came. */
export interface TokensOptions {
  readonly endpoint: string;
  readonly database: string;
  readonly container: readonly string[];
  readonly issuer?: string | undefined;
  readonly audience: readonly string[];
  readonly jwksUrl?: string | undefined;
  readonly subjectClaim: string;
  readonly development?: boolean | undefined;
  readonly partitionKey: readonly string[];
  readonly lifetime: string;
  readonly callerRate: string;
  readonly totalRate: string;
  readonly host: string;
  readonly port: string;
  readonly json?: boolean | undefined;
}

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_OPTION', `Cannot serve tokens: ${message}`);
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/u.test(text) || value < least || value > most) {
    throw invalid(`${flag} is a whole number from ${least} to ${most}.`);
  }
  return value;
}

function verifierOf(options: TokensOptions, environment: NodeJS.ProcessEnv): VerifyCaller {
  const { issuer, audience, jwksUrl, subjectClaim, development, host } = options;
  if (development === true) {
    if (issuer !== undefined || audience.length > 0 || jwksUrl !== undefined) {
      throw invalid('--development goes without --issuer, --audience and --jwks-url.');
    }
    if (!isLoopbackHost(host.includes(':') ? `[${host}]` : host)) {
      throw invalid('--development is for this machine: listen on 127.0.0.1.');
    }
    const secret = environment['PERIGEE_TOKENS_SECRET'];
    if (secret === undefined) {
      throw invalid('--development needs a secret in the environment variable PERIGEE_TOKENS_SECRET.');
    }
    return developmentVerifier({ secret });
  }
  if (issuer === undefined || audience.length === 0) {
    throw invalid('say who may have them: --issuer and --audience, or --development on this machine.');
  }
  return oidcVerifier({ issuer, audience, jwksUrl, subjectClaim });
}

const PLACE = '{sub}';

/**
 * What users may have, by templates. Where these differ, the name of one user could pass for that of another together with a piece of a template (`ada:x`
 * in `{sub}` and `{sub}:x`), so a name that holds the character with which such a piece begins or ends gets nothing.
 *
 * @throws INVALID_OPTION
 */
export function partitionKeysOfTemplates(templates: readonly string[]): (caller: Caller) => readonly string[] {
  const pieces = templates.map((template) => template.split(PLACE));
  const wrong = pieces.findIndex(({ length }) => length !== 2);
  if (wrong >= 0) {
    throw invalid(`--partition-key ${JSON.stringify(templates[wrong])} holds ${PLACE} not once.`);
  }
  const befores = new Set(pieces.map(([before]) => before as string));
  const afters = new Set(pieces.map(([, after]) => after as string));
  if (befores.size > 1 && afters.size > 1) {
    throw invalid('the templates of --partition-key have the same beginning or the same end, so that no two users get the same key.');
  }
  const borders = new Set<string>();
  if (befores.size > 1) {
    befores.forEach((before) => borders.add(before.slice(-1)));
  }
  if (afters.size > 1) {
    afters.forEach((after) => borders.add(after.slice(0, 1)));
  }
  borders.delete('');
  return ({ subject }) =>
    [...borders].some((border) => subject.includes(border)) ? [] : pieces.map(([before, after]) => `${before}${subject}${after}`);
}

/** Translates the command line into options of the service. @throws INVALID_OPTION */
export function tokenOptionsOf(
  options: TokensOptions,
  environment: NodeJS.ProcessEnv,
): { readonly service: TokenServiceOptions; readonly host: string; readonly port: number } {
  const { endpoint, database, container, partitionKey } = options;
  const key = environment['PERIGEE_KEY'];
  if (key === undefined || key === '') {
    throw invalid('the account key is read from the environment variable PERIGEE_KEY, which is not set.');
  }
  if (container.length === 0) {
    throw invalid('--container names what tokens are given for; it may be given several times.');
  }
  return {
    service: {
      account: { endpoint, key, database },
      containers: container,
      verify: verifierOf(options, environment),
      partitionKeysOf: partitionKeysOfTemplates(partitionKey.length === 0 ? [PLACE] : partitionKey),
      lifetimeSeconds: wholeNumber('--lifetime', options.lifetime, 10, 86_400),
      rateLimit: {
        perCaller: { perMinute: wholeNumber('--caller-rate', options.callerRate, 1, 1_000_000) },
        total: { perMinute: wholeNumber('--total-rate', options.totalRate, 1, 100_000_000) },
      },
    },
    host: options.host,
    port: wholeNumber('--port', options.port, 0, 65_535),
  };
}
