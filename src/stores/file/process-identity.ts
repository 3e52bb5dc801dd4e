import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** What names one process on one machine, also where its number is given again later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the words of the system; absent where the system does not say. */
  readonly started?: string | undefined;
  /** Start of the machine, where the system names it. */
  readonly boot?: string | undefined;
  readonly host: string;
}

/** The start of a process, `undefined` where there is none of the number, or the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Its name stands in parentheses and may hold anything; the start is the 20th field behind it.
      return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
    }
    if (process.platform === 'win32') {
      return undefined;
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function bootOf(): string | undefined {
  try {
    return process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() : undefined;
  } catch {
    return undefined;
  }
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), boot: bootOf(), host: hostname() };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signalled, and is there all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a process is known to have ended. One of another machine is never known to have. */
export function hasEnded(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) {
    return false;
  }
  const boot = bootOf();
  if (identity.boot !== undefined && boot !== undefined && identity.boot !== boot) {
    return true;
  }
  if (!exists(identity.pid)) {
    return true;
  }
  const started = startOf(identity.pid);
  return identity.started !== undefined && started !== undefined && identity.started !== started;
}
