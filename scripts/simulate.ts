/**
 * Simulated devices under many seeds: `npm run simulate -- --seeds N [--seed S] [--steps N] [--devices N] [--sdk] [--merge] [--with A,B] [--mix M] [--trace]`. Prints the first seeds that fail, and how to
 * repeat them; `--trace` prints every event of each; `--sdk`: devices
 * reach the remote through the official SDK and the server's own handlers; `--merge`: devices merge by property; `--with`: what each world has beside what all have,
 * of `DIMENSIONS` (`--with ''`: nothing), and `--mix`: which events it has more of, out of `MIXES`, where that is drawn from the seed otherwise.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeScratchFolder } from '../src/simulator/scratch-folder.ts';
import { DIMENSIONS, type Dimension } from '../src/simulator/dimensions/dimensions.ts';
import { MIXES, type Mix } from '../src/simulator/dimensions/mixes.ts';
import { simulate } from '../src/simulator/simulate.ts';
import { mergeFields } from '../src/sync/decide/merge-fields.ts';

/** Failing seeds that are shown. */
const SHOWN = 5;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string' },
    devices: { type: 'string' },
    sdk: { type: 'boolean', default: false },
    with: { type: 'string' },
    mix: { type: 'string' },
    merge: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/u.test(text)) {
    throw new Error(`--${name} is a whole number, such as 1000.`);
  }
  return Number(text);
}

const seeds = count('seeds', values.seeds);
const first = count('seed', values.seed);
const wanted = values.with?.split(',').filter((name) => name !== '');
const unknown = wanted?.find((name) => !(DIMENSIONS as readonly string[]).includes(name));
if (unknown !== undefined) {
  throw new Error(`--with is a list of ${DIMENSIONS.join(', ')}, not ${unknown}.`);
}
if (values.mix !== undefined && !(MIXES as readonly string[]).includes(values.mix)) {
  throw new Error(`--mix is one of ${MIXES.join(', ')}, not ${values.mix}.`);
}
const options = {
  ...(values.steps === undefined ? {} : { steps: count('steps', values.steps) }),
  ...(values.devices === undefined ? {} : { devices: count('devices', values.devices) }),
};
const folder = makeScratchFolder();
const startedMs = Date.now();
const timesMs: number[] = [];
const total = { edits: 0, requests: 0, crashes: 0, failed: 0 };
try {
  for (let seed = first; seed < first + seeds; seed += 1) {
    const beganMs = performance.now();
    const report = await simulate({
      ...options,
      ...(values.merge ? { policy: mergeFields() } : {}),
      ...(wanted === undefined ? {} : { dimensions: wanted as Dimension[] }),
      ...(values.mix === undefined ? {} : { mix: values.mix as Mix }),
      seed,
      folder,
      remote: values.sdk ? 'sdk' : 'store',
    });
    timesMs.push(performance.now() - beganMs);
    total.edits += report.edits;
    total.requests += report.requests;
    total.crashes += report.crashes;
    if (values.trace) {
      console.log(`seed ${seed}\n${report.trace.join('\n')}`);
    }
    if (report.violations.length > 0) {
      total.failed += 1;
      if (total.failed <= SHOWN) {
        const again = [
          ...Object.entries(options).map(([name, value]) => ` --${name} ${value}`),
          values.sdk ? ' --sdk' : '',
          values.merge ? ' --merge' : '',
          wanted === undefined ? '' : ` --with '${wanted.join(',')}'`,
          values.mix === undefined ? '' : ` --mix ${values.mix}`,
        ];
        console.log(
          `seed ${seed}: ${report.violations.join('; ')}\n  npm run simulate -- --seeds 1 --seed ${seed}${again.join('')} --trace`,
        );
      }
    }
    if (process.stdout.isTTY && (seed - first) % 20 === 0) {
      process.stdout.write(
        `\r${seed - first + 1} of ${seeds} seeds, ${total.failed} failed, ${Math.round((Date.now() - startedMs) / 1000)} s `,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const seconds = (Date.now() - startedMs) / 1000;
console.log(
  `${process.stdout.isTTY ? '\n' : ''}${seeds} seeds from ${first}: ${total.failed} failed; ${total.edits} edits, ${total.requests} requests, ${total.crashes} crashes, ` +
    `${seconds.toFixed(1)} s (${((seconds * 1000) / seeds).toFixed(1)} ms a seed, half within ${(timesMs.toSorted((a, b) => a - b)[seeds >> 1] ?? 0).toFixed(1)} ms).`,
);
process.exitCode = total.failed === 0 ? 0 : 1;
