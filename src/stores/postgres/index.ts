export { openPostgresBackend, PostgresBackend } from './postgres-backend.ts';
export { PostgresDocumentStore } from './postgres-document-store.ts';
export type { PostgresBackendOptions, PostgresTlsOptions } from './postgres-options.ts';
