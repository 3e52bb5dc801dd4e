import { readFile } from 'node:fs/promises';

/** Whom the server runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Nobody, as nearly every system numbers it. */
const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 };

/**
 * Whom PostgreSQL runs as, where we are root, under whom it refuses to run: the user `postgres` where the system has one, or nobody. No user is
 * ever made. `undefined` means ourselves.
 */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/mu.exec(accounts) ?? [];
  return uid === undefined || uid === '0' ? NOBODY : { uid: Number(uid), gid: Number(gid) };
}
