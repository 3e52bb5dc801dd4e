import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where the packages are that are only compared with. */
export const PEERS_FOLDER: string = fileURLToPath(new URL('peers/', import.meta.url));

/**
 * Installs the packages that are only compared with, where one of them is missing. They have a lock file of their own, so that nobody installs them
 * but who runs a benchmark.
 */
export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(`${PEERS_FOLDER}package.json`, 'utf8')) as { dependencies: Record<string, string> };
  const missing = Object.keys(dependencies).filter((name) => !existsSync(`${PEERS_FOLDER}node_modules/${name}`));
  if (missing.length > 0) {
    process.stderr.write(`Installing ${missing.join(', ')} to compare with …\n`);
    // Their own peers, such as better-sqlite3, are those of this project.
    const args = ['ci', '--ignore-scripts', '--legacy-peer-deps', '--silent'];
    execFileSync('npm', args, { cwd: PEERS_FOLDER, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

/** Loads a package that is only compared with, and is an ECMAScript module. */
export function importPeer(name: string, entry: string): Promise<unknown> {
  installPeers();
  return import(new URL(`peers/node_modules/${name}/${entry}`, import.meta.url).href);
}

/** Loads a package that is only compared with. */
export function loadPeer(name: string): unknown {
  installPeers();
  return createRequire(`${PEERS_FOLDER}package.json`)(name);
}
