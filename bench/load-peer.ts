import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const FOLDER: string = fileURLToPath(new URL('peers/', import.meta.url));

/**
 * Loads a package that is only compared with. These have a lock file of their own, so that nobody installs them but who runs the benchmark: the
 * first call does.
 */
export function loadPeer(name: string): unknown {
  if (!existsSync(`${FOLDER}node_modules/${name}`)) {
    process.stderr.write(`Installing ${name} to compare with …\n`);
    execFileSync('npm', ['ci', '--ignore-scripts', '--silent'], { cwd: FOLDER, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return createRequire(`${FOLDER}package.json`)(name);
}
