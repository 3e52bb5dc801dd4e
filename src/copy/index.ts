export { copyContainers } from './copy-containers.ts';
export type { CopyCheckpoint } from './copy-checkpoint.ts';
export type { CopyOptions } from './copy-options.ts';
export type {
  ContainerReport,
  CopyComparison,
  CopyDifference,
  CopyDifferenceKind,
  CopyFailure,
  CopyProgress,
  CopyReport,
} from './copy-report.ts';
export { fileCheckpoint } from './file-checkpoint.ts';
export type { CopyTimeToLive } from './remaining-life.ts';
