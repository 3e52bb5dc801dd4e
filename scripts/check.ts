/** Runs every check of the project, one after the other, and stops at the first that fails: `npm run check [-- step ...]`. */
import { spawnSync } from 'node:child_process';

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
  api: 'api',
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`Unknown step ${unknown.join(', ')}. Steps: ${Object.keys(steps).join(', ')}.`);
  process.exit(78);
}

for (const [name, script] of Object.entries(steps).filter(([step]) => wanted.length === 0 || wanted.includes(step))) {
  const startedMs = Date.now();
  console.log(`\n--- ${name}`);
  const { status } = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`\n${name} failed. Run it alone with: npm run check -- ${name}`);
    process.exit(status ?? 1);
  }
  console.log(`--- ${name} ok, ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}
console.log('\nAll checks passed.');
