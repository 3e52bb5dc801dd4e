/**
 * Runs every check of the project, one after the other, and stops at the first that fails: `npm run check [-- step ...] [--without step ...]`.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** Names of the steps, in order, and the npm script that each runs. */
const steps: Readonly<Record<string, string>> = {
  format: 'format:check',
  lint: 'lint',
  types: 'types',
  layers: 'layers',
  unused: 'unused',
  tests: 'test',
  sdk: 'test:sdk',
  build: 'build',
  publint: 'publint',
  attw: 'attw',
  size: 'size',
  api: 'api',
};

const HELP = `npm run check [-- step ...] [--without step ...]

Runs the steps named, or all, in this order: ${Object.keys(steps).join(', ')}.
--without leaves a step out; it may be given several times.`;

function usageError(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  process.exit(64);
}

function readArguments(): { readonly wanted: readonly string[]; readonly without: readonly string[]; readonly help: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { without: { type: 'string', multiple: true, default: [] }, help: { type: 'boolean', default: false } },
    });
    return { wanted: positionals, without: values.without, help: values.help };
  } catch (error) {
    return usageError((error as Error).message);
  }
}

const { wanted, without, help } = readArguments();
if (help) {
  console.log(HELP);
  process.exit(0);
}
const unknown = [...wanted, ...without].filter((name) => !(name in steps));
if (unknown.length > 0) {
  usageError(`Unknown step ${unknown.join(', ')}.`);
}
const chosen = Object.entries(steps).filter(([step]) => (wanted.length === 0 || wanted.includes(step)) && !without.includes(step));
if (chosen.length === 0) {
  usageError('No step is left to run.');
}

for (const [name, script] of chosen) {
  const startedMs = Date.now();
  console.log(`\n--- ${name}`);
  const { status } = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`\n${name} failed. Run it alone with: npm run check -- ${name}`);
    process.exit(status ?? 1);
  }
  console.log(`--- ${name} ok, ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}
console.log(
  `\n${without.length === 0 && wanted.length === 0 ? 'All checks' : `The checks ${chosen.map(([name]) => name).join(', ')}`} passed.`,
);
