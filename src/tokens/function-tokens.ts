import type { AccessToken } from '../store/token-provider.ts';
import { createTokenSource, type TokenSource, type TokenSourceOptions, type UserTokenRequest } from './token-source.ts';

/**
 * Tokens from a function: for an application that has a way of its own to get them.
 *
 * What it gives is kept, and renewed before it ends; one call at a time is under way for one user, container, partition key and mode. What it throws
 * reaches the caller of the store: a {@link PerigeeError} as it is unless it is of the category `data`, anything else as the cause of UNAUTHORIZED.
 *
 * @throws INVALID_OPTION
 *
 * @example
 * ```ts
 * import { functionTokens } from 'perigee/tokens';
 *
 * let calls = 0;
 * const source = functionTokens(async ({ user, container }) => ({ token: `${container} of ${user}, ${++calls}`, lifetimeMs: 60_000 }));
 * const tokens = source.forUser('ada');
 * await Promise.all([tokens.getToken({ container: 'todos' }), tokens.getToken({ container: 'todos' })]);
 * console.log((await tokens.getToken({ container: 'todos' })).token); // -> todos of ada, 1
 * ```
 */
export function functionTokens(
  getToken: (request: UserTokenRequest) => AccessToken | Promise<AccessToken>,
  options: TokenSourceOptions = {},
): TokenSource {
  return createTokenSource(async (request) => getToken(request), options);
}
