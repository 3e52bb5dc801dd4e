/** Processes on one file: one of them synchronises at a time, and when it is killed another takes over. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer, WELL_KNOWN_KEY, type PerigeeServer } from '../../src/server/index.ts';
import { openMemoryBackend, type MemoryBackend } from '../../src/stores/memory/index.ts';
import { contents, NOTES, type Note } from './world.ts';

const program = fileURLToPath(new URL('programs/scheduled-device.ts', import.meta.url));
const WRITES = 150;

let folder: string;
let log: string;
let cloud: MemoryBackend;
let server: PerigeeServer;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-runner-'));
  log = join(folder, 'requests.log');
  writeFileSync(log, '');
  cloud = openMemoryBackend();
  await cloud.createDatabase('app');
  await cloud.createContainer('app', NOTES);
  server = await startServer({ backend: cloud, port: 0 });
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
  }
  await server.close();
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Process {
  readonly child: ChildProcess;
  readonly written: Set<string>;
}

function startProcess(name: string): Process {
  const child = fork(program, [join(folder, 'device.db'), server.url, WELL_KNOWN_KEY, name, log, String(WRITES)], {
    execArgv: ['--import', 'tsx'],
  });
  children.push(child);
  const written = new Set<string>();
  child.on('message', (message: { readonly written: string }) => void written.add(message.written));
  return { child, written };
}

/** What was asked of the remote, as `name run`. */
function requests(): readonly string[] {
  return readFileSync(log, 'utf8').split('\n').slice(0, -1);
}

function requestsOf(name: string): readonly string[] {
  return requests().filter((line) => line.startsWith(`${name} `));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await wait(5);
  }
}

test('two processes take turns, and when the one that runs is killed the other sends what it has left', { timeout: 60_000 }, async () => {
  const processes = new Map([
    ['a', startProcess('a')],
    ['b', startProcess('b')],
  ]);
  await until(() => [...processes].every(([name, { written }]) => requestsOf(name).length > 5 && written.size > 10));
  // Whoever asked last is in the middle of a run, and its request under way.
  const at = requests().length;
  await until(() => requests().length > at);
  const victim = (requests().at(-1) as string).split(' ')[0] as string;
  const survivor = victim === 'a' ? 'b' : 'a';
  const { child, written } = processes.get(victim) as Process;
  child.kill('SIGKILL');
  await once(child, 'close');
  const before = requestsOf(survivor).length;
  const other = processes.get(survivor) as Process;
  await until(() => other.written.size === WRITES);
  const expected = [...written, ...other.written].toSorted();
  const notes = await cloud.container<Note>('app', 'notes');
  await until(async () => {
    const held = Object.keys(await contents(notes));
    return expected.every((id) => held.includes(id));
  });
  await until(() => requestsOf(survivor).length > before);
  other.child.send({ end: true });
  expect(await once(other.child, 'close')).toEqual([0, null]);

  // A run's requests stand together: none of another process came between.
  const blocks = requests().filter((line, index, lines) => line !== lines[index - 1]);
  expect(blocks.length).toBe(new Set(blocks).size);
});
