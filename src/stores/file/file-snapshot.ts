import { fstatSync, statSync, type BigIntStats } from 'node:fs';

/** What tells whether a file is the one that was looked at before, with the content that it had. */
export interface FileSnapshot {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly changedNs: bigint;
}

function snapshotOf(stats: BigIntStats): FileSnapshot {
  return { device: stats.dev, inode: stats.ino, size: stats.size, changedNs: stats.mtimeNs };
}

/** The file at a path as it is now, `undefined` where there is none. */
export function snapshotAt(path: string): FileSnapshot | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : snapshotOf(stats);
}

export function snapshotOfOpen(handle: number): FileSnapshot {
  return snapshotOf(fstatSync(handle, { bigint: true }));
}

export function isSameSnapshot(left: FileSnapshot | undefined, right: FileSnapshot | undefined): boolean {
  return (
    left?.inode === right?.inode && left?.device === right?.device && left?.size === right?.size && left?.changedNs === right?.changedNs
  );
}

/** When the file last changed, in seconds. */
export function changedSeconds(snapshot: FileSnapshot): number {
  return Math.max(0, Number(snapshot.changedNs / 1_000_000_000n));
}
