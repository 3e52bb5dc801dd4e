/** Runs every check of the project, one after the other, and stops at the first that fails: `npm run check [-- step ...]`. */
import { spawnSync } from 'node:child_process';

interface Step {
  readonly name: string;
  readonly command: string;
}

const steps: readonly Step[] = [
  { name: 'format', command: 'oxfmt --check' },
  { name: 'lint', command: 'oxlint --deny-warnings' },
  { name: 'types', command: 'tsc -p tsconfig.json' },
  { name: 'layers', command: 'depcruise src --config .dependency-cruiser.cjs' },
  { name: 'unused', command: 'knip' },
  { name: 'tests', command: 'vitest run' },
  { name: 'build', command: 'node scripts/build.mjs' },
  { name: 'publint', command: 'publint --strict' },
  { name: 'attw', command: 'attw --pack . --profile esm-only' },
  { name: 'api', command: 'tsx scripts/api-snapshot.ts' },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`Unknown step ${unknown.join(', ')}. Steps: ${steps.map((step) => step.name).join(', ')}.`);
  process.exit(78);
}

for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startedMs = Date.now();
  console.log(`\n--- ${step.name}: ${step.command}`);
  const { status } = spawnSync(step.command, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, PATH: `node_modules/.bin:${process.env['PATH']}` },
  });
  if (status !== 0) {
    console.error(`\n${step.name} failed. Run it alone with: npm run check -- ${step.name}`);
    process.exit(status ?? 1);
  }
  console.log(`--- ${step.name} ok, ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}
console.log('\nAll checks passed.');
