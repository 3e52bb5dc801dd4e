import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './scene.ts';

/** A file system of its own that a test fills. */
export interface SmallDisk {
  readonly folder: string;
  readonly freeBytes: () => number;
  /** Takes all room but so many bytes. */
  fill(leaveBytes?: number): void;
  /** Gives back what {@link fill} took. */
  empty(): void;
}

/** Mounts a file system of so many KiB, or says why it cannot and gives `undefined`. */
export function mountSmallDisk(sizeKiB: number): SmallDisk | undefined {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs', folder]).status === 0;
  if (!mounted) {
    console.log('left out: a full file system needs the right to mount a tmpfs; the limit on the file stands for it');
    return undefined;
  }
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  const ballast = join(folder, 'ballast');
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  return {
    folder,
    freeBytes,
    fill(leaveBytes = 0) {
      appendFileSync(ballast, Buffer.alloc(Math.max(0, freeBytes() - leaveBytes)));
    },
    empty() {
      rmSync(ballast, { force: true });
    },
  };
}
