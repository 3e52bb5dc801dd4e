/**
 * Tokens for stores: providers that fetch, keep and renew them on a device, and the service that gives them.
 *
 * @module
 */
export { functionTokens } from './function-tokens.ts';
export { httpTokens, type HttpTokensOptions, type TokenHeaders } from './http-tokens.ts';
export type { AzureHandler, AzureRequest, FetchHandler, NodeHandler } from './service/handlers.ts';
export type { Caller, CallerRequest, VerifyCaller } from './service/caller.ts';
export type { RateLimit, RateLimits } from './service/rate-limiter.ts';
export type { ServiceRequest, ServiceResponse } from './service/service-messages.ts';
export type { TokenGrant } from './service/token-grants.ts';
export type { TokenAccountOptions, TokenServiceOptions } from './service/token-service-options.ts';
export { createTokenService, type TokenService } from './service/token-service.ts';
export { staticTokens, type StaticToken } from './static-tokens.ts';
export type { TokenQuery, TokenSource, TokenSourceOptions, UserTokenRequest, UserTokens } from './token-source.ts';
export { developmentVerifier } from './verify/development-verifier.ts';
export { oidcVerifier, type OidcVerifierOptions } from './verify/oidc-verifier.ts';
export type { AccessToken, TokenAccess, TokenKeeper, TokenProvider, TokenRequest } from '../store/token-provider.ts';
