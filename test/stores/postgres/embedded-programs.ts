import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { EmbeddedPostgresOptions } from '../../../src/stores/postgres/embedded/embedded-options.ts';
import { childrenOf, identityOf } from '../../../src/stores/postgres/embedded/host-processes.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';

const tsx = import.meta.resolve('tsx');
const PROGRAM = fileURLToPath(new URL('embedded-child.ts', import.meta.url));

/** A folder that everybody may enter and that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-embedded-test-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server that is stopped after the test. */
export async function startServer(options?: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

/** The first row that a statement gives. */
export async function ask(connectionString: string, sql: string): Promise<Record<string, unknown> | undefined> {
  const client = new pg.Client({ connectionString });
  // A server that is killed under a connection ends it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows[0];
  } finally {
    await client.end();
  }
}

/** A session with a query that never ends, once it is under way; resolves with the error that ends it. */
export async function endlessQuery(connectionString: string): Promise<{ readonly ended: Promise<Error> }> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  const ended = client.query('SELECT count(*) FROM generate_series(1, 1000000000000)').then(
    () => new Error('it ended by itself'),
    (error: unknown) => error as Error,
  );
  const active = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*) FROM generate%'`;
  while ((await ask(connectionString, active))?.['count'] !== 1) {
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  return { ended };
}

/** What `embedded-child.ts` says. */
export interface Said {
  readonly connectionString: string;
  readonly pid: number;
  readonly folder: string;
  readonly code?: string;
  readonly message?: string;
}

/** A program of its own with an embedded server. */
export interface Program {
  readonly process: ChildProcess;
  readonly said: Said;
  /** The shell that stops the server once the program has ended. */
  readonly guard: number | undefined;
}

/** Runs `embedded-child.ts`; what it started is killed after the test. */
export async function runProgram(
  folder: string,
  who: 'self' | 'nobody' = 'self',
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const child = spawn(process.execPath, ['--import', tsx, PROGRAM, folder, who], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const pids = [child.pid as number];
  onTestFinished(() => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const said = JSON.parse(chunk.toString()) as Said;
  const guard = said.code === undefined ? (await childrenOf(child.pid as number)).find((pid) => pid !== said.pid) : undefined;
  if (said.pid !== undefined) {
    pids.push(said.pid);
  }
  return { process: child, said, guard };
}

/** Kills a process and waits until it is gone. */
export async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await untilGone(pid);
}

/** Waits until there is no such process. */
export async function untilGone(pid: number): Promise<void> {
  while ((await identityOf(pid)) !== undefined) {
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
}

/** Waits until `isSo` holds. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
}
