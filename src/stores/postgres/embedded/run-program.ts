import { spawn } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

/** How a program ended. */
export interface ProgramEnd {
  /** 0 where it did what it was asked to; `undefined` where a signal ended it or it could not be started. */
  readonly exitCode: number | undefined;
  /** Why it could not be started, such as `EACCES`. */
  readonly refusal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunProgramOptions {
  readonly user?: ServerUser | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of the id of the process once it runs. */
  readonly onStart?: ((pid: number) => void) | undefined;
}

/** What every program of PostgreSQL gets of the environment: none of ours, as it may hold settings of another server (`PGDATA`, `PGPORT`) and secrets. */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
}

/** Runs a program to its end, which an abort brings on by SIGTERM. Away from the terminal, so that Ctrl-C does not reach it. */
export function runProgram(path: string, parameters: readonly string[], options: RunProgramOptions = {}): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const { user, signal } = options;
    const output = { stdout: '', stderr: '' };
    const child = spawn(path, parameters, {
      cwd: '/',
      env: programEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    const stop = (): void => void child.kill('SIGTERM');
    const end = (exitCode: number | undefined, refusal?: string): void => {
      signal?.removeEventListener('abort', stop);
      resolve({ exitCode, refusal, ...output });
    };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = `${output[name]}${text}`.slice(-4000);
      });
    }
    child.once('error', (error: NodeJS.ErrnoException) => end(undefined, error.code ?? 'unknown'));
    child.once('close', (code) => end(code ?? undefined));
    signal?.addEventListener('abort', stop, { once: true });
    if (child.pid !== undefined) {
      options.onStart?.(child.pid);
    }
    if (signal?.aborted === true) {
      stop();
    }
  });
}
