import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { installPeers, PEERS_FOLDER } from './load-peer.ts';

/** A server that is compared, in a process of its own. */
export interface Emulator {
  readonly url: string;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number;
  /** Memory of the process that is resident, in bytes. */
  readonly residentBytes: () => number;
  readonly stop: () => Promise<void>;
}

/** The other server keeps connections only where its program asks for it, which its own command line never does. */
const PEER_PROGRAM = `
  const server = require('@vercel/cosmosdb-server').createHttpServer({ keepAlive: true });
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: 'http://127.0.0.1:' + server.address().port })));
`;

const SERVE: readonly string[] = ['dist/cli/main.js', 'serve', '--port', '0', '--json', '--cross-partition', 'answer', '--store'];

/** How the emulators are started: Perigee as it is published, in memory, on a file or on PostgreSQL, and the other one. */
export const PROGRAMS: {
  readonly memory: readonly string[];
  readonly sqlite: (path: string) => readonly string[];
  readonly postgres: (connectionString: string) => readonly string[];
  readonly peer: readonly string[];
} = {
  memory: [...SERVE, 'memory'],
  sqlite: (path) => [...SERVE, `sqlite:${path}`],
  postgres: (connectionString) => [...SERVE, connectionString],
  peer: ['-e', PEER_PROGRAM],
};

function residentBytesOf(child: ChildProcess): number {
  if (process.platform !== 'linux') {
    throw new Error('The memory of another process is read from /proc, which only Linux has.');
  }
  return Number(/VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Starts a server and waits for its first answer. */
export async function startEmulator(args: readonly string[]): Promise<Emulator> {
  installPeers();
  const startedMs = performance.now();
  const isPeer = args[0] === '-e';
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], ...(isPeer ? { cwd: PEERS_FOLDER } : {}) });
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`The server ended before it was ready: ${args.slice(0, 2).join(' ')}`))),
  ])) as [string];
  const { url } = JSON.parse(line) as { url: string };
  await (await fetch(url)).text();
  const startMs = performance.now() - startedMs;
  return {
    url,
    startMs,
    residentBytes: () => residentBytesOf(child),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
