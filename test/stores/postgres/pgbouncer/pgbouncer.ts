import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../src/stores/postgres/embedded/free-port.ts';
import { serverUser } from '../../../../src/stores/postgres/embedded/server-user.ts';

/** A PgBouncer that runs. */
export interface RunningPgBouncer {
  /** Address of the same database as the one that was given, through it. */
  readonly url: string;
  /** Whether it keeps prepared statements apart. */
  readonly knowsPrepared: boolean;
  readonly stop: () => Promise<void>;
}

/** A program that was found. */
export interface PgBouncerProgram {
  readonly path: string;
  /** As 1.024 for 1.24, to compare. */
  readonly version: number;
}

/** Where it is looked for: `PERIGEE_PGBOUNCER` names it, or it is installed as Debian's package `pgbouncer` does. */
const PLACES = [process.env['PERIGEE_PGBOUNCER'], '/usr/sbin/pgbouncer', 'pgbouncer'];

/** From this version on it knows prepared statements. */
const KNOWS_PREPARED = 1.021;

/** Finds PgBouncer on this machine. */
export function findPgBouncer(): PgBouncerProgram | undefined {
  for (const path of PLACES) {
    if (path !== undefined) {
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      const [, major, minor] = /PgBouncer (\d+)\.(\d+)/u.exec(stdout ?? '') ?? [];
      if (minor !== undefined) {
        return { path, version: Number(major) + Number(minor) / 1000 };
      }
    }
  }
  return undefined;
}

/** What to do where it is missing. */
export const PGBOUNCER_MISSING =
  'PgBouncer is not installed, so nothing was run through it: apt-get install pgbouncer, or name the program in PERIGEE_PGBOUNCER.';

/** Starts PgBouncer in transaction mode before a PostgreSQL. `settings` are further lines of its configuration. */
export async function startPgBouncer(url: string, settings: Readonly<Record<string, string | number>> = {}): Promise<RunningPgBouncer> {
  const program = findPgBouncer();
  if (program === undefined) {
    throw new Error(PGBOUNCER_MISSING);
  }
  const knowsPrepared = program.version >= KNOWS_PREPARED && settings['max_prepared_statements'] !== 0;
  const server = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'perigee-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = (await freePort(0)) as number;
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    pool_mode: 'transaction',
    default_pool_size: 6,
    max_client_conn: 500,
    query_wait_timeout: 20,
    ...(program.version >= KNOWS_PREPARED ? { max_prepared_statements: 100 } : {}),
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(join(folder, 'users'), `"${decodeURIComponent(server.username)}" "${decodeURIComponent(server.password)}"\n`);
  await writeFile(file, `[databases]\n* = host=${server.hostname} port=${server.port || 5432}\n[pgbouncer]\n${lines.join('\n')}\n`);
  const child = spawn(program.path, [file], { stdio: ['ignore', 'ignore', 'pipe'], ...(await serverUser()) });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = `${log}${text}`.slice(-4000);
  });
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 400 || child.exitCode !== null) {
      await stop();
      throw new Error(`PgBouncer did not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  server.port = String(port);
  return { url: server.href, knowsPrepared, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const end = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await end;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
