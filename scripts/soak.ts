/** The long crash test: `npm run soak [-- --rounds 200] [--per-point 5] [--seed N]`. Prints the count of deaths per point. */
import { parseArgs } from 'node:util';
import { runCrashes } from '../test/crash/crash-run.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    'per-point': { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const startedMs = Date.now();
const total = Number(values.rounds) + Number(values['per-point']) * 7;
console.log(`seed ${values.seed}: ${total} deaths to die`);
const result = await runCrashes({
  seed: Number(values.seed),
  randomDeaths: Number(values.rounds),
  deathsPerPoint: Number(values['per-point']),
  onProgress: (deaths) => {
    if (process.stdout.isTTY) {
      const done = Object.values(deaths).reduce((sum, count) => sum + count, 0);
      process.stdout.write(`\r${done} of ${total} deaths, ${Math.round((Date.now() - startedMs) / 1000)} s `);
    }
  },
});
console.log(
  `\n${result.acknowledged} acknowledged writes, none lost, none twice; ${result.documents} documents equal on server, device and observer.`,
);
for (const [point, count] of Object.entries(result.deaths)) {
  console.log(`  ${point.padEnd(26)} ${count}`);
}
