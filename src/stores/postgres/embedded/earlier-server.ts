import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PerigeeError } from '../../../core/errors.ts';
import { sleep, type Runtime } from '../../../core/runtime.ts';
import { childrenOf, commandOf, identityOf, sendSignal } from './host-processes.ts';
import { readPostmasterFile } from './postmaster-file.ts';

const POLL_MS = 20;
/** How long an orphan may take for each way of being stopped, from the kindest on. */
const STEPS = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 10_000],
] as const;

/** The words with which {@link startPostmaster} starts a server: by them one is known to be of a folder and of a process. */
export function ownerWords(data: string, owner: string): readonly string[] {
  return ['-D', data, '-c', `perigee.owner=${owner}`];
}

/**
 * Whom a process belongs to, if it is a server in this folder: the identity of the process that started it, or `unknown` where that was not one of ours.
 */
export async function ownerOf(pid: number, data: string): Promise<string | undefined> {
  const command = `${await commandOf(pid)} `;
  const words = ` ${ownerWords(data, '').join(' ')}`;
  const from = command.indexOf(words);
  if (from !== -1) {
    return command.slice(from + words.length, command.indexOf(' ', from + words.length));
  }
  const isServer = /^(?:\S*\/)?post(?:gres|master) /u.test(command);
  return isServer && (command.includes(data) || !command.includes(' -D ')) ? 'unknown' : undefined;
}

/** Whether the process of an identity runs. */
export async function isAlive(identity: string): Promise<boolean> {
  return (await identityOf(Number.parseInt(identity, 10))) === identity;
}

/** Waits until a process is gone; whether it is. */
export async function waitUntilGone(pid: number, identity: string, timeoutMs: number, runtime: Runtime): Promise<boolean> {
  const until = runtime.monotonicMs() + timeoutMs;
  while ((await identityOf(pid)) === identity) {
    if (runtime.monotonicMs() > until) {
      return false;
    }
    await sleep(runtime, POLL_MS);
  }
  return true;
}

/** Kills a server and all processes that it has started, and waits until they are gone: while one is left, no other server may use the folder. */
export async function killServer(pid: number, runtime: Runtime): Promise<void> {
  // One that is stopped starts no more processes.
  sendSignal(pid, 'SIGSTOP');
  const pids = [pid, ...(await childrenOf(pid))];
  const identities = await Promise.all(pids.map(identityOf));
  for (const each of pids) {
    sendSignal(each, 'SIGKILL');
  }
  for (const [index, identity] of identities.entries()) {
    if (identity !== undefined) {
      await waitUntilGone(pids[index] as number, identity, 10_000, runtime);
    }
  }
}

/** @throws STORE_BUSY when it does not end */
async function stopOrphan(pid: number, folder: string, runtime: Runtime): Promise<void> {
  const identity = await identityOf(pid);
  for (const [signal, timeoutMs] of STEPS) {
    if (identity === undefined) {
      return;
    }
    if (signal === 'SIGKILL') {
      await killServer(pid, runtime);
    } else {
      sendSignal(pid, signal);
    }
    if (await waitUntilGone(pid, identity, timeoutMs, runtime)) {
      return;
    }
  }
  throw new PerigeeError(
    'STORE_BUSY',
    `Cannot start an embedded PostgreSQL in ${JSON.stringify(folder)}: a server of an earlier run, process ${pid}, runs in it and does not end.`,
  );
}

/**
 * Sees to a server that an earlier run has left in a data folder: one whose owner has ended is stopped, and a `postmaster.pid` that names a process that
 * is no server of this folder is removed, since PostgreSQL would refuse to start beside it.
 *
 * @throws STORE_BUSY when the owner is alive
 */
export async function clearEarlierServer(data: string, folder: string, runtime: Runtime): Promise<void> {
  const found = await readPostmasterFile(data);
  if (found === undefined || (await identityOf(found.pid)) === undefined) {
    // PostgreSQL itself sees that nobody is there.
    return;
  }
  const owner = await ownerOf(found.pid, data);
  if (owner === undefined) {
    // Unless another start has replaced it since.
    if ((await readPostmasterFile(data))?.pid === found.pid) {
      await unlink(join(data, 'postmaster.pid'));
    }
    return;
  }
  if (owner === 'unknown' || (await isAlive(owner))) {
    throw new PerigeeError(
      'STORE_BUSY',
      `Cannot start an embedded PostgreSQL in ${JSON.stringify(folder)}: one runs in it, ${owner === 'unknown' ? `process ${found.pid}` : `which process ${Number.parseInt(owner, 10)} has started`}. Stop that, or give another folder.`,
    );
  }
  await stopOrphan(found.pid, folder, runtime);
}
