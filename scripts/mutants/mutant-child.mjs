/** Runs seeds against one build until a seed fails: `node mutant-child.mjs BUILD FOLDER FIRST SEEDS OPTIONS`, with options of the simulation as JSON. Prints the failing seed as JSON, or `null`. */
import { pathToFileURL } from 'node:url';

const [build, folder, first, seeds, options] = process.argv.slice(2);
const { simulate } = await import(pathToFileURL(build).href);
let found = null;
for (let seed = Number(first); found === null && seed < Number(first) + Number(seeds); seed += 1) {
  let violations;
  try {
    ({ violations } = await simulate({ seed, folder, ...JSON.parse(options) }));
  } catch (error) {
    violations = [`the run failed: ${error.message}`];
  }
  found = violations.length === 0 ? null : { seed, violation: violations[0] };
}
console.log(JSON.stringify(found));
