import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 64 * 1024;

/** The bytes behind the last end of a line; empty where the file ends with one. */
function openEnd(handle: number, size: number): Buffer {
  let tail = Buffer.alloc(0);
  for (let at = size; at > 0;) {
    const length = Math.min(BLOCK_BYTES, at);
    at -= length;
    const block = Buffer.alloc(length);
    readSync(handle, block, 0, length, at);
    const lastEnd = block.lastIndexOf(10);
    tail = Buffer.concat([block.subarray(lastEnd + 1), tail]);
    if (lastEnd >= 0) {
      break;
    }
  }
  return tail;
}

function isWhole(line: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes a line that a killed writer did not finish from the end of a file and keeps it in a folder of its own: it was never acknowledged. A file
 * that ends with a whole line stays as it is. Only for files of a writer that is known to have been killed: elsewhere a broken line is damage.
 *
 * @returns where the line is kept, `undefined` where there was none
 */
export function setTornLineAside(path: string, folder: string, name: string): string | undefined {
  const handle = openSync(path, 'r+');
  try {
    const { size } = fstatSync(handle);
    const tail = openEnd(handle, size);
    if (tail.length === 0 || isWhole(tail)) {
      return undefined;
    }
    if (!existsSync(folder)) {
      mkdirSync(folder);
    }
    const kept = join(folder, name);
    writeFileSync(kept, tail, { flag: 'wx' });
    ftruncateSync(handle, size - tail.length);
    fsyncSync(handle);
    return kept;
  } finally {
    closeSync(handle);
  }
}
