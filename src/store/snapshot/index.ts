/**
 * Snapshots of a whole account as bytes: for files, and for what is sent. Node only.
 *
 * @module
 */
export { readSnapshot, writeSnapshot, type ReadSnapshotOptions, type WriteSnapshotOptions } from './snapshot-stream.ts';
