export { CosmosBackend, openCosmosBackend } from './cosmos-backend.ts';
export { createCosmosClient } from './cosmos-client.ts';
export { CosmosDocumentStore } from './cosmos-document-store.ts';
export type { CosmosBackendOptions, CosmosCapabilities, CosmosConnectionOptions, CosmosModule, KnownContainer } from './cosmos-options.ts';
export type { AccessToken, TokenAccess, TokenKeeper, TokenProvider, TokenRequest } from '../../store/token-provider.ts';
