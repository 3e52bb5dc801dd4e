import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HAS_PROC = process.platform === 'linux';

/** What stands in `/proc/PID/stat` after the name of the program, which may hold anything: its state, its parent and much more. */
async function statOf(pid: number): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

async function ps(...options: readonly string[]): Promise<string> {
  try {
    return (await run('ps', options, { env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' } })).stdout.trim();
  } catch {
    return '';
  }
}

/**
 * A name of a running process that no later one gets, unlike its id, which the system gives again: the id and when it started. It holds only digits
 * and points. `undefined` where there is no such process, or one that has ended and only waits to be reaped.
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (HAS_PROC) {
    const stat = await statOf(pid);
    return stat === undefined || stat[0] === 'Z' || stat[0] === 'X' ? undefined : `${pid}.${stat[19]}`;
  }
  const [state = '', ...started] = (await ps('-o', 'state=,lstart=', '-p', String(pid))).split(/\s+/u);
  return state === '' || state.startsWith('Z') ? undefined : `${pid}.${Date.parse(`${started.join(' ')} UTC`)}`;
}

/** The command line of a process, its words separated by spaces; empty where there is no such process or it cannot be known. */
export async function commandOf(pid: number): Promise<string> {
  if (!HAS_PROC) {
    return ps('-ww', '-o', 'args=', '-p', String(pid));
  }
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').join(' ').trim();
}

/** The ids of the processes that a process has started and that are there still. */
export async function childrenOf(parent: number): Promise<readonly number[]> {
  if (!HAS_PROC) {
    const rows = (await ps('-axo', 'pid=,ppid=')).split('\n').map((row) => row.trim().split(/\s+/u).map(Number));
    return rows.filter(([, ppid]) => ppid === parent).map(([pid]) => pid as number);
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
  const parents = await Promise.all(pids.map(async (pid) => Number((await statOf(pid))?.[1])));
  return pids.filter((_, index) => parents[index] === parent);
}

/** Sends a signal; `false` where there is no such process, or none that we may send one to. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
