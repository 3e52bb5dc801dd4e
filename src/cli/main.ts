#!/usr/bin/env node
import { reportFailure } from './report-failure.ts';
import { readServeFlags } from './serve/read-serve-flags.ts';
// Loaded at once, unlike the work of other commands: a start waits for each further round of files, and most starts are for this.
import { serveStore } from './serve/serve-store.ts';

// A reader that has seen enough, such as `head`, is no failure of any command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    throw error;
  }
});

const [command, ...args] = process.argv.slice(2);
const serveOptions = command === 'serve' ? readServeFlags(args) : undefined;
try {
  if (serveOptions === undefined) {
    const { runProgram } = await import('./run-program.ts');
    await runProgram();
  } else {
    await serveStore(serveOptions);
  }
} catch (error) {
  process.exitCode = reportFailure(error);
}
