import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Runs until its input ends, which happens when this process does, however that ends: a handler of ours would not run when we are killed. Then it stops
 * the process that it watches, and removes the folder if it was given one. `kill -0` holds for a process that nobody reaps, so the wait has an end.
 */
const SCRIPT = `
pid=
while read -r word number; do
  case "$word" in
    watch) pid=$number ;;
    gone) pid= ;;
    done) exit 0 ;;
  esac
done
if [ -n "$pid" ]; then
  kill -INT "$pid"
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  if [ -n "$1" ]; then
    kill -KILL "$pid"
  fi
fi
if [ -n "$1" ]; then
  rm -rf "$1"
fi
`;

/** Ends a server with the process that started it. */
export interface ParentGuard {
  /** From now on this process is stopped when we end; it takes the place of one named before. */
  watch(pid: number): void;
  /** The process watched has ended, so its id may become that of another. */
  gone(): void;
  /** Nothing is to be done any more. */
  done(): void;
}

/**
 * Starts a guard, which does not keep this process alive. With `folder` it also removes that folder once we have ended, unless it was told that it is
 * done.
 */
export function startParentGuard(folder?: string): ParentGuard {
  // Away from the terminal, so that a Ctrl-C that ends us does not end it too.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'perigee-postgres-guard', folder ?? ''], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const { stdin } = child;
  // Without a guard the server outlives us when we are killed; the next start in its folder then stops it.
  child.on('error', () => undefined);
  stdin.on('error', () => undefined);
  child.unref();
  (stdin as Socket).unref();
  const say = (line: string): void => void stdin.write(`${line}\n`);
  return {
    watch: (pid) => say(`watch ${pid}`),
    gone: () => say('gone'),
    done: () => {
      say('done');
      stdin.end();
    },
  };
}
