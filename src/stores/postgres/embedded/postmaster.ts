import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { PerigeeError, throwIfAborted } from '../../../core/errors.ts';
import { sleep, type Runtime } from '../../../core/runtime.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { killServer, ownerWords } from './earlier-server.ts';
import { identityOf } from './host-processes.ts';
import type { ParentGuard } from './parent-guard.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { programEnvironment } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/** How a server is started. */
export interface StartPostmasterOptions {
  readonly program: string;
  readonly cluster: ClusterFolder;
  readonly port: number;
  readonly user: ServerUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly guard: ParentGuard;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
}

/** How a server is asked to stop: `fast` ends what is under way and writes all data; `immediate` leaves that to the recovery of the next start. */
export type StopMode = 'fast' | 'immediate';

const STOP_SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = { fast: 'SIGINT', immediate: 'SIGQUIT' };
const POLL_MS = 10;
/** A start has failed once the log has said nothing for so long; the recovery of much data takes long, and says so every ten seconds. */
const STALL_MS = 60_000;
/** How long each way of stopping may take before the next harder one. */
const STOP_MS = 60_000;
const LOG_TAIL = 2000;
const LOG_LIMIT = 1_000_000;

/** The process of a server. */
export class Postmaster {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #runtime: Runtime;
  #hasEnded = false;

  constructor(child: ChildProcess & { readonly pid: number }, guard: ParentGuard, runtime: Runtime) {
    this.pid = child.pid;
    this.#child = child;
    this.#runtime = runtime;
    guard.watch(child.pid);
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#hasEnded = true;
        guard.gone();
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** From now on the server does not keep this process alive. */
  release(): void {
    this.#child.unref();
  }

  /** Asks the server to stop and waits until it has; one that does not is asked harder, and killed in the end. */
  async stop(mode: StopMode): Promise<void> {
    this.#child.ref();
    const modes: readonly StopMode[] = mode === 'fast' ? ['fast', 'immediate'] : ['immediate'];
    for (const each of modes) {
      if (!this.#hasEnded) {
        this.#child.kill(STOP_SIGNALS[each]);
        await this.#endedWithin(STOP_MS);
      }
    }
    await this.kill();
  }

  /** Kills the server and its processes as a loss of power would, and waits until they are gone. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) {
      this.#child.ref();
      await killServer(this.pid, this.#runtime);
      await this.#ended;
    }
  }

  async #endedWithin(timeoutMs: number): Promise<void> {
    const controller = new AbortController();
    const timeout = sleep(this.#runtime, timeoutMs, controller.signal).catch(() => undefined);
    await Promise.race([this.#ended, timeout]);
    controller.abort();
  }
}

/** What the log has said since `from`, its end only. */
async function logSince(log: string, from: number): Promise<string> {
  const handle = await open(log);
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - LOG_TAIL);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LOG_TAIL), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/**
 * Starts a server and waits until it takes connections.
 *
 * @throws UNAVAILABLE when it ends instead, TIMEOUT when it does not go on, both with the end of its log; the signal's reason
 */
export async function startPostmaster(options: StartPostmasterOptions): Promise<Postmaster> {
  const { program, cluster, port, user, settings, guard, runtime, signal } = options;
  if ((await sizeOf(cluster.log)) > LOG_LIMIT) {
    await rename(cluster.log, `${cluster.log}.1`);
  }
  const logStart = await sizeOf(cluster.log);
  const owner = (await identityOf(process.pid)) ?? `${process.pid}.0`;
  const all = { ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
  throwIfAborted(signal);
  const log = openSync(cluster.log, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(
      program,
      [...ownerWords(cluster.data, owner), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // Away from the terminal: its Ctrl-C is for us, and we may still need the server to end in good order.
      { cwd: '/', env: programEnvironment(), detached: true, stdio: ['ignore', log, log], ...user },
    );
  } finally {
    closeSync(log);
  }
  const refusal = new Promise<string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
  if (child.pid === undefined) {
    throw new PerigeeError('UNAVAILABLE', `Cannot start an embedded PostgreSQL: its program does not run (${await refusal}).`);
  }
  const postmaster = new Postmaster(child as ChildProcess & { readonly pid: number }, guard, runtime);
  try {
    await untilReady(postmaster, cluster, logStart, runtime, signal);
    postmaster.release();
    return postmaster;
  } catch (error) {
    await postmaster.stop('fast');
    throw error;
  }
}

async function untilReady(
  postmaster: Postmaster,
  { data, log }: ClusterFolder,
  logStart: number,
  runtime: Runtime,
  signal: AbortSignal | undefined,
): Promise<void> {
  let logSize = logStart;
  let heardAtMs = runtime.monotonicMs();
  for (;;) {
    throwIfAborted(signal);
    if (postmaster.hasEnded) {
      throw new PerigeeError(
        'UNAVAILABLE',
        `Cannot start an embedded PostgreSQL: it ended at once. It said: ${await logSince(log, logStart)}`,
      );
    }
    const found = await readPostmasterFile(data);
    if (found?.pid === postmaster.pid && found.status === 'ready') {
      return;
    }
    const size = await sizeOf(log);
    if (size !== logSize) {
      logSize = size;
      heardAtMs = runtime.monotonicMs();
    } else if (runtime.monotonicMs() - heardAtMs > STALL_MS) {
      throw new PerigeeError(
        'TIMEOUT',
        `Cannot start an embedded PostgreSQL: it has not become ready for ${STALL_MS / 1000} seconds. It said: ${await logSince(log, logStart)}`,
      );
    }
    await sleep(runtime, POLL_MS, signal);
  }
}
