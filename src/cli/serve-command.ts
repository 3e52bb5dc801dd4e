import type { Command } from 'commander';
import { SERVE_FLAGS } from './serve/serve-flags.ts';
import { serveStore } from './serve/serve-store.ts';
import type { ServeOptions } from './serve/server-options-of.ts';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** Adds `perigee serve`: a server that speaks the Cosmos DB protocol over a store. `run` gets its options. */
export function addServeCommand(program: Command, run: (options: ServeOptions) => Promise<void> = serveStore): void {
  const command = program.command('serve').description('Serve a store over the Cosmos DB protocol, for the official SDKs.');
  for (const { flags, help, default: preset, isRepeatable } of SERVE_FLAGS) {
    if (isRepeatable) {
      command.option(flags, help, collect, []);
    } else {
      command.option(flags, help, preset);
    }
  }
  command
    .addHelpText(
      'after',
      '\nThe SDK connects with the printed connection string. Ctrl-C stops the server after the requests under way; a second one stops it at once.',
    )
    .action(run);
}
