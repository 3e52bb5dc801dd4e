/**
 * Puts faults into the sync engine, one at a time, and looks whether the simulator finds them: `npm run mutants -- [--seeds N] [--only TEXT ...]`. Fails where one
 * is not found within the seeds, or where the engine without a fault fails.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildMutant, checkPlaces } from './mutants/build-mutant.ts';
import { makeScratchFolder } from '../src/simulator/scratch-folder.ts';
import type { Mutant } from './mutants/mutant.ts';
import { MUTANTS } from './mutants/mutant-table.ts';

/** A run that never ends is stopped by what it has done; this is for one that does nothing. */
const TIMEOUT_MS = 60_000;
/** A seed takes a part of it, on a busy machine as well. */
const SEED_TIMEOUT_MS = 300;

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1500' }, only: { type: 'string', multiple: true, default: [''] } },
});
const seeds = Number(values.seeds);
const timeoutMs = TIMEOUT_MS + seeds * SEED_TIMEOUT_MS;
// Below the packages, so that a build finds its drivers.
const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'mutants-'));

interface Found {
  readonly seed: number;
  readonly violation: string;
}

async function look(mutant: Mutant | undefined): Promise<Found | undefined> {
  const place = mkdtempSync(join(folder, 'one-'));
  const files = makeScratchFolder();
  const build = await buildMutant(mutant, place);
  const options = JSON.stringify({ dimensions: mutant?.worlds, mix: mutant?.mix });
  const child = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'mutants/mutant-child.mjs'), build, files, '1', String(seeds), options],
    { encoding: 'utf8', timeout: timeoutMs },
  );
  rmSync(place, { recursive: true, force: true });
  rmSync(files, { recursive: true, force: true });
  if (child.error !== undefined && 'code' in child.error && child.error.code === 'ETIMEDOUT') {
    return { seed: Number.NaN, violation: `a run did not end within ${timeoutMs / 1000} s` };
  }
  if (child.status !== 0) {
    return { seed: Number.NaN, violation: `the program ended: ${child.stderr.trim().split('\n').at(-1) ?? ''}` };
  }
  return (JSON.parse(child.stdout) as Found | null) ?? undefined;
}

checkPlaces(MUTANTS);
let missed = 0;
try {
  const sound = await look(undefined);
  if (sound !== undefined) {
    throw new Error(`The engine without a fault fails at seed ${sound.seed}: ${sound.violation}`);
  }
  console.log(`without a fault: ${seeds} seeds, nothing found\n`);
  const wanted = MUTANTS.filter(({ fault }) => values.only.some((text) => fault.includes(text)));
  for (const mutant of wanted) {
    const found = await look(mutant);
    missed += found === undefined ? 1 : 0;
    const seed = found === undefined ? 'MISSED' : Number.isNaN(found.seed) ? '-' : String(found.seed);
    console.log(
      `${seed.padStart(7)}  ${mutant.fault} (${mutant.origin})\n         ${found?.violation ?? `not found within ${seeds} seeds`}`,
    );
  }
  console.log(`\n${wanted.length - missed} of ${wanted.length} faults found.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
