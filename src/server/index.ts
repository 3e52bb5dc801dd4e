/**
 * The Cosmos DB wire protocol over any backend: an emulator for tests, or a gateway to another store.
 *
 * @module
 */
export { startServer } from './start-server.ts';
export { WELL_KNOWN_KEY, type PerigeeServer, type ServerCertificate, type ServerOptions } from './server-options.ts';
