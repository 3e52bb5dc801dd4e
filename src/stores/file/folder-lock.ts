import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { toHex, type Runtime } from '../../core/runtime.ts';
import { hasEnded, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { temporaryPath } from './replace-file.ts';

interface LockText {
  readonly owner: ProcessIdentity;
  readonly token: string;
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** What a lock file says; `undefined` where it is gone. One that cannot be read belongs to nobody known. */
function readLock(path: string): LockText | 'unreadable' | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) {
      const { pid, host, token, started, boot } = value;
      if (typeof pid === 'number' && typeof host === 'string' && typeof token === 'string') {
        const optional = (one: unknown): string | undefined => (typeof one === 'string' ? one : undefined);
        return { owner: { pid, host, started: optional(started), boot: optional(boot) }, token };
      }
    }
  } catch {
    // Not JSON: below.
  }
  return 'unreadable';
}

function busy(path: string, lock: LockText | 'unreadable'): PerigeeError {
  const who =
    lock === 'unreadable' ? 'a program that cannot be told' : `the process ${lock.owner.pid} on ${JSON.stringify(lock.owner.host)}`;
  return new PerigeeError(
    'STORE_BUSY',
    `Cannot open the folder to write: ${who} holds ${JSON.stringify(path)}. Close it there; if that program has ended, remove the file.`,
    { details: { path } },
  );
}

/**
 * The right to write to a folder, as a file in it that names its owner: process number, start of the process and of the machine, and host.
 *
 * The lock of a process that was killed is taken over, also when its number belongs to another process by now. That of another machine is not,
 * since whether its owner lives cannot be told.
 */
export class FolderLock {
  /** Whether the owner before had ended without giving the lock back: it may have been killed within a write. */
  readonly tookOver: boolean;
  readonly #path: string;
  readonly #token: string;

  private constructor(path: string, token: string, tookOver: boolean) {
    this.#path = path;
    this.#token = token;
    this.tookOver = tookOver;
  }

  /** Takes the lock of a folder, which is there. @throws STORE_BUSY, and what the file system throws */
  static acquire(folder: string, runtime: Runtime): FolderLock {
    const path = join(folder, 'lock');
    const token = toHex(runtime.randomBytes(16));
    const temporary = temporaryPath(path, runtime);
    writeFileSync(temporary, `${JSON.stringify({ ...ownIdentity(), token })}\n`, { flag: 'wx' });
    try {
      if (linkNew(temporary, path)) {
        return new FolderLock(path, token, false);
      }
      return new FolderLock(path, token, takeOver(temporary, path));
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** Whether the lock is still this one's: a person may have removed it, and another program taken it. */
  isHeld(): boolean {
    const lock = readLock(this.#path);
    return lock !== undefined && lock !== 'unreadable' && lock.token === this.#token;
  }

  /** Gives the lock back; does nothing where it is another's by now. */
  release(): void {
    if (this.isHeld()) {
      rmSync(this.#path, { force: true });
    }
  }
}

/** Gives a file a second name unless there is a file of that name, in one step. */
function linkNew(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false;
    }
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) {
      throw error;
    }
  }
  // A file system without second names: the file is then there a moment before its text, which others take for an owner unknown.
  try {
    writeFileSync(to, readFileSync(from), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false;
    }
    throw error;
  }
}

/** Puts a lock in the place of one whose owner has ended; gives whether there was one. Of several that try at once, one succeeds. */
function takeOver(temporary: string, path: string): boolean {
  // Only who holds the guard replaces a lock, so that nobody replaces one that was taken over a moment ago.
  const guard = `${path}.guard`;
  const guarded = readLock(guard);
  if (guarded !== undefined && guarded !== 'unreadable' && hasEnded(guarded.owner)) {
    rmSync(guard, { force: true });
  }
  if (!linkNew(temporary, guard)) {
    throw busy(path, readLock(guard) ?? 'unreadable');
  }
  try {
    const current = readLock(path);
    if (current === undefined && linkNew(temporary, path)) {
      return false;
    }
    if (current === undefined || current === 'unreadable' || !hasEnded(current.owner)) {
      throw busy(path, current ?? 'unreadable');
    }
    renameSync(temporary, path);
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}
