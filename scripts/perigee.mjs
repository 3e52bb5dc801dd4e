/** Runs the built command line of this checkout, building it first when it is missing or older than its sources. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = `${root}dist/cli/main.js`;

function newestMs(folder) {
  return Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(`${folder}/${name}`).mtimeMs));
}

const builtMs = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (builtMs < newestMs(`${root}src`)) {
  if (process.stderr.isTTY) {
    console.error('Building the command line; this takes a few seconds, once.');
  }
  const { status } = spawnSync(process.execPath, [`${root}scripts/build.mjs`], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
await import(pathToFileURL(main).href);
