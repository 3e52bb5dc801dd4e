import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { Mutant } from './mutant.ts';

const SRC: string = fileURLToPath(new URL('../../src/', import.meta.url));

/** The source with the fault in it. @throws where the place does not occur exactly once */
export function mutate({ fault, file, find, replace }: Mutant, code: string): string {
  const [before, behind, ...more] = code.split(find);
  if (before === undefined || behind === undefined || more.length > 0) {
    throw new Error(
      `The place of the fault "${fault}" occurs ${code.split(find).length - 1} times in src/${file}, not once. Correct the table of mutants.`,
    );
  }
  return before + replace + behind;
}

/** Checks that every place is there. */
export function checkPlaces(mutants: readonly Mutant[]): void {
  for (const mutant of mutants) {
    mutate(mutant, readFileSync(join(SRC, mutant.file), 'utf8'));
  }
}

/** Builds the simulator with a fault in it, or without any, into `folder`; gives the file to import. */
export async function buildMutant(mutant: Mutant | undefined, folder: string): Promise<string> {
  const build = await rolldown({
    input: { simulate: join(SRC, 'simulator/simulate.ts') },
    platform: 'node',
    logLevel: 'silent',
    external: (id) => /^(?:node:|@?[a-z])/u.test(id),
    plugins: [
      {
        name: 'put-the-fault-in',
        transform: (code, id) => (mutant !== undefined && id === join(SRC, mutant.file) ? mutate(mutant, code) : undefined),
      },
    ],
  });
  await build.write({ format: 'esm', dir: folder, entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' });
  return join(folder, 'simulate.mjs');
}
