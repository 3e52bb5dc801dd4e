import { spawn } from 'node:child_process';

/** Runs a program to its end, with our own output; gives whether it succeeded. What this process has started meanwhile goes on to be read. */
export function runInherited(program: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: 'inherit', env: { ...process.env, ...environment } });
    child.once('error', reject).once('close', (code) => resolve(code === 0));
  });
}
