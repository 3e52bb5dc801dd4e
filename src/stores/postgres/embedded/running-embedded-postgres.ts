import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SUPERUSER } from './cluster-folder.ts';
import { isAlive, ownerOf } from './earlier-server.ts';
import { readPostmasterFile } from './postmaster-file.ts';

/**
 * The address, with the password, of a server that another process has started in a folder and that takes connections. `undefined` where there is none,
 * or we may not read its password. It ends with the process that started it.
 */
export async function runningEmbeddedPostgres(path: string): Promise<string | undefined> {
  const cluster = join(await realpath(path).catch(() => path), 'cluster');
  const data = join(cluster, 'data');
  const found = await readPostmasterFile(data);
  const owner = found === undefined ? undefined : await ownerOf(found.pid, data);
  const password = (await readFile(join(cluster, 'password'), 'utf8').catch(() => '')).trim();
  if (found?.status !== 'ready' || owner === undefined || !(await isAlive(owner)) || password === '') {
    return undefined;
  }
  return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${found.port}/postgres`;
}
