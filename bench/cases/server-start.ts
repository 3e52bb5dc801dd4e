import { spawn, spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { compareAmounts, type BenchResult } from '../harness.ts';
import { Workspace } from '../raw-twin.ts';

const ROUNDS = 15;

/** Milliseconds a bare `node -e 0` takes from spawn to exit. */
function bareNodeMs(): number {
  const startMs = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - startMs;
}

function answers(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      response.resume();
      response.on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
}

/** Milliseconds from spawning the built command line to the first answered request. */
async function serverStartMs(store: string): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['dist/cli/main.js', 'serve', '--store', store, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('The server stopped before it was ready.')));
  });
  await answers((JSON.parse(line) as { url: string }).url);
  const elapsedMs = performance.now() - startMs;
  child.removeAllListeners('exit');
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
  return elapsedMs;
}

/** Start of the server to its first answer, against a bare `node -e 0`. */
export async function* run(): AsyncGenerator<BenchResult> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  const workspace = new Workspace();
  for (const [label, store] of [
    ['memory', 'memory'],
    ['SQLite', `sqlite:${workspace.file()}`],
  ] as const) {
    const started: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      started.push(await serverStartMs(store));
      bare.push(bareNodeMs());
    }
    yield compareAmounts(`server start to first answer (${label})`, 'ms', started, bare, 5);
  }
  workspace.dispose();
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'bench/children/start-child.ts'], { encoding: 'utf8' });
    const { coldMs, warmMs } = JSON.parse(stdout) as { coldMs: number; warmMs: number };
    cold.push(coldMs);
    warm.push(warmMs);
  }
  // The baseline is what a start may take in a test.
  const limits = warm.map(() => 50);
  yield compareAmounts('startServer in process (memory)', 'ms', warm, limits, 1);
  // Loading depends on the disk and on what the process has loaded already, so there is no bar.
  yield { ...compareAmounts('the same, loading all of it first', 'ms', cold, limits, 1), bar: null, met: null };
}
