export type { EmbeddedPostgresOptions } from './embedded/embedded-options.ts';
export type { StopMode } from './embedded/postmaster.ts';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/start-embedded-postgres.ts';
export { openPostgresBackend, PostgresBackend } from './postgres-backend.ts';
export { PostgresDocumentStore } from './postgres-document-store.ts';
export type { PostgresBackendOptions, PostgresTlsOptions } from './postgres-options.ts';
export type { IndexProgress, IndexStatus } from './indexes/index-builder.ts';
export type { IndexBuildProgress } from './indexes/build-progress.ts';
