import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program of `children/` to its end, gives it its settings and returns what it printed. */
export async function runChild<Printed>(file: string, settings: object): Promise<Printed> {
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const { stdout } = await execute(process.execPath, [...loader, `bench/children/${file}`, JSON.stringify(settings)]);
  return JSON.parse(stdout) as Printed;
}
