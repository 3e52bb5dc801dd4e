import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a server says of itself in its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** `ready` once it takes connections. */
  readonly status: string;
}

const PID_LINE = 0;
const PORT_LINE = 3;
const STATUS_LINE = 7;

/** Reads `postmaster.pid`; `undefined` where there is none, or nothing in it yet. */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[PID_LINE]);
  return Number.isInteger(pid) && pid > 1 ? { pid, port: Number(lines[PORT_LINE]), status: (lines[STATUS_LINE] ?? '').trim() } : undefined;
}
