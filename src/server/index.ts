/**
 * The Cosmos DB wire protocol over any backend: an emulator for tests, or a gateway to another store.
 *
 * @module
 */
export type { ChaosControl, ChaosEffect, ChaosReport, ChaosRule, ChaosRuleReport, ChaosRules } from './chaos/chaos-rules.ts';
export type { ScriptOptions, ScriptThreadLike, ScriptThreadOptions } from './scripts/script-options.ts';
export type { PartitionCommand, PartitionCommands } from './partitions/partition-commands.ts';
export type { PartitionRange } from './partitions/partition-layout.ts';
export type { DirectoryRights, VerifyDirectoryToken } from './access/directory-tokens.ts';
export type { MeterLike, TelemetryOptions, TracerLike } from './telemetry/telemetry-options.ts';
export { startServer } from './start-server.ts';
export {
  WELL_KNOWN_KEY,
  type CertificateFolder,
  type CrossPartitionQueries,
  type PerigeeServer,
  type ServerCertificate,
  type ServerOptions,
} from './server-options.ts';
