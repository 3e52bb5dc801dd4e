/**
 * Long tests: `npm run soak [-- part ...] [--seed N]`. Parts: `crash`, `differential`, `fuzz`, `http`; all of them unless named. `--rounds`
 * and `--per-point` are of the crashes, `--pairs` of the differential test, `--texts` of the fuzz, `--requests` of the hostile requests.
 */
import { parseArgs } from 'node:util';
import { runCrashes } from '../test/crash/crash-run.ts';
import { runDifferential } from '../test/query/differential/run-differential.ts';
import { runFuzz } from '../test/query/fuzz/run-fuzz.ts';
import { runHostile } from '../test/server/hostile/run-hostile.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '200' },
    'per-point': { type: 'string', default: '5' },
    pairs: { type: 'string', default: '200000' },
    texts: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
const startedMs = Date.now();

function show(progress: string): void {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r${progress}, ${Math.round((Date.now() - startedMs) / 1000)} s `);
  }
}

async function crash(): Promise<void> {
  const total = Number(values.rounds) + Number(values['per-point']) * 7;
  console.log(`crash, seed ${seed}: ${total} deaths to die`);
  const result = await runCrashes({
    seed,
    randomDeaths: Number(values.rounds),
    deathsPerPoint: Number(values['per-point']),
    onProgress: (deaths) => show(`${Object.values(deaths).reduce((sum, count) => sum + count, 0)} of ${total} deaths`),
  });
  console.log(
    `\n${result.acknowledged} acknowledged writes, none lost, none twice; ${result.documents} documents equal on server, device and observer.`,
  );
  for (const [point, count] of Object.entries(result.deaths)) {
    console.log(`  ${point.padEnd(26)} ${count}`);
  }
}

async function differential(): Promise<void> {
  const pairs = Number(values.pairs);
  console.log(`differential, seed ${seed}: ${pairs} pairs of a query and a way to run it`);
  const counts = await runDifferential(pairs, seed, (sofar) => show(`${sofar.pairs} of ${pairs} pairs`));
  console.log(
    `\n${counts.pairs} pairs, no difference; of the queries ${counts.rows} gave rows, ${counts.empty} none, ${counts.refused} were refused alike.`,
  );
}

function fuzz(): void {
  const texts = Number(values.texts);
  console.log(`fuzz, seed ${seed}: ${texts} texts`);
  const counts = runFuzz(texts, seed, (sofar) => show(`${sofar.texts} of ${texts} texts`));
  const refused = Object.entries(counts.refused).map(([code, count]) => `${count} ${code}`);
  console.log(
    `\n${counts.texts} texts: ${counts.accepted} accepted, ${refused.join(', ')}; the slowest took ${counts.slowestMs.toFixed(1)} ms.`,
  );
}

async function http(): Promise<void> {
  const requests = Number(values.requests);
  console.log(`http, seed ${seed}: ${requests} hostile requests`);
  const counts = await runHostile({
    requests,
    seed,
    connections: 12,
    slowClients: 8,
    onProgress: (sofar) => show(`${sofar.sent} of ${requests} requests`),
  });
  const statuses = Object.entries(counts.statuses).map(([status, count]) => `${count} ${status}`);
  console.log(
    `\n${counts.sent} requests, all answered as they should: ${statuses.join(', ')}; ${counts.broken} were no requests, ${counts.unanswered} came behind the end of a connection, ${counts.abandoned} were given up, ${counts.slow} were too slow.`,
  );
  console.log(
    `The canary sang ${counts.songs} verses. Memory went from ${(counts.firstBytes / 1e6).toFixed(1)} to ${(counts.lastBytes / 1e6).toFixed(1)} MB.`,
  );
}

const parts: Readonly<Record<string, () => Promise<void> | void>> = { crash, differential, fuzz, http };
const unknown = positionals.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`Unknown part ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}.`);
  process.exit(64);
}
for (const [name, run] of Object.entries(parts)) {
  if (positionals.length === 0 || positionals.includes(name)) {
    await run();
  }
}
