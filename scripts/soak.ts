/**
 * Long tests: `npm run soak [-- part ...] [--seed N]`. Parts: `crash`, `differential`, `fuzz`, `http`, `load`, `kill`, `sync`, `gateways`; all of them unless named.
 * `--rounds` and `--per-point` are of the crashes, `--pairs` of the differential test, `--texts` of the fuzz, `--requests` of the hostile requests,
 * `--seconds`, `--documents`, `--connections` and `--store sqlite|memory` of the load, `--kills` of the kills of a server,
 * `--minutes` and `--json FILE`, which the result is written to, of the devices that synchronise and of the gateways on one PostgreSQL.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { runCrashes } from '../test/crash/crash-run.ts';
import { runDifferential, type DifferentialCounts } from '../test/query/differential/run-differential.ts';
import { runFuzz } from '../test/query/fuzz/run-fuzz.ts';
import { runGateways } from '../test/server/gateways/run-gateways.ts';
import { runHostile } from '../test/server/hostile/run-hostile.ts';
import { runKills } from '../test/server/kill/run-kills.ts';
import { runLoad } from '../test/server/load/run-load.ts';
import { buildCommandLine } from '../test/server/process/served-process.ts';
import { runSyncSoak } from '../test/sync/soak/run-sync-soak.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '200' },
    'per-point': { type: 'string', default: '5' },
    pairs: { type: 'string', default: '200000' },
    texts: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    documents: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '16' },
    store: { type: 'string', default: 'sqlite' },
    kills: { type: 'string', default: '500' },
    minutes: { type: 'string', default: '30' },
    json: { type: 'string' },
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
  // Outside of vitest nobody has started one.
  const postgres = process.env['PERIGEE_POSTGRES_URL'] === undefined ? await startEmbeddedPostgres() : undefined;
  if (postgres !== undefined) {
    process.env['PERIGEE_POSTGRES_URL'] = postgres.connectionString;
  }
  let counts: DifferentialCounts;
  try {
    counts = await runDifferential(pairs, seed, (sofar) => show(`${sofar.pairs} of ${pairs} pairs`));
  } finally {
    if (postgres !== undefined) {
      delete process.env['PERIGEE_POSTGRES_URL'];
      await postgres.stop();
    }
  }
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

/** Most memory that a server on SQLite may have, and by how much its median may grow from the second quarter of the time to the last. */
const MAX_RESIDENT_BYTES = 250e6;
const MAX_GROWTH = 1.1;

async function load(): Promise<void> {
  const { store } = values;
  if (store !== 'sqlite' && store !== 'memory') {
    throw new Error('The store of the load is sqlite or memory.');
  }
  const [seconds, documents, connections] = [Number(values.seconds), Number(values.documents), Number(values.connections)];
  console.log(`load, seed ${seed}: ${connections} clients for ${seconds} s on ${documents} documents in ${store}`);
  buildCommandLine();
  const result = await runLoad({ seed, store, program: 'built', documents, connections, until: { seconds }, onProgress: show });
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  console.log(`\n${'operation'.padEnd(36)} ${'count'.padStart(8)} ${'median ms'.padStart(10)} ${'99% ms'.padStart(10)}`);
  for (const [name, { count, medianMs, slowMs }] of Object.entries(result.figures)) {
    console.log(`${name.padEnd(36)} ${String(count).padStart(8)} ${medianMs.toFixed(1).padStart(10)} ${slowMs.toFixed(1).padStart(10)}`);
  }
  const refusals = Object.entries(result.refusals).map(([status, count]) => `${count} ${status}`);
  console.log(
    `${result.operations} operations in ${(result.elapsedMs / 1000).toFixed(0)} s, no wrong answer and no error but those asked for: ${refusals.join(', ')}.`,
  );
  console.log(`${result.documents} documents as the models say at the end; ${result.changes} changes followed.`);
  const { first, last, peak, quarters } = result.memory;
  console.log(
    `Memory of the server: ${mb(first)} MB at first, ${mb(last)} at last, ${mb(peak)} at most; medians of the quarters ${quarters.map(mb).join(', ')}.`,
  );
  const [, second, , fourth] = quarters as [number, number, number, number];
  if (fourth > second * MAX_GROWTH || (store === 'sqlite' && peak > MAX_RESIDENT_BYTES)) {
    throw new Error(`The memory of the server is not flat, or over ${mb(MAX_RESIDENT_BYTES)} MB.`);
  }
}

async function kill(): Promise<void> {
  const kills = Number(values.kills);
  console.log(`kill, seed ${seed}: ${kills} kills of a server on SQLite while 8 clients write`);
  buildCommandLine();
  const result = await runKills({ seed, kills, program: 'built', writers: 8, maxWrites: 120, earlyShare: 0.1, onProgress: show });
  console.log(
    `\n${result.kills} kills, ${result.earlyKills} of them while the server started: ${result.acknowledged} acknowledged writes, none lost; ${result.refused} refused as they had to be.`,
  );
  console.log(
    `Of ${result.lost} writes without an answer ${result.kept} were wholly done, ${result.undone} not at all; the others added to a counter. ${result.documents} documents, ${result.changes} changes in the feed.`,
  );
  for (const [kind, count] of Object.entries(result.kinds)) {
    console.log(`  ${kind.padEnd(30)} ${count}`);
  }
}

/** Counts by name, most first. */
function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).toSorted(([, left], [, right]) => right - left);
  return entries.map(([name, count]) => `${count} ${name}`).join(', ');
}

async function sync(): Promise<void> {
  const minutes = Number(values.minutes);
  console.log(
    `sync, seed ${seed}: 3 devices and a server on SQLite for ${minutes} minutes, killed again and again, with faults on the line`,
  );
  buildCommandLine();
  const result = await runSyncSoak({
    seed,
    until: { seconds: minutes * 60 },
    program: 'built',
    devices: 3,
    documentsPerKey: 20,
    maxDeviceEdits: 150,
    maxServerEdits: 400,
    faults: 1,
    onProgress: show,
  });
  console.log(`\n${result.documents} documents equal on the server and 3 devices; nothing pending, ${result.deadLetters} dead letters.`);
  console.log(
    `${result.durable} acknowledged writes, none lost: ${result.inEnd} are in the versions that are there, ${result.inJournal} in journals, ${result.deletions} were deleted.`,
  );
  console.log(`Writes: ${listed(result.writes)}; ${listed(result.outcomes)}.`);
  console.log(`${result.pushed} sent, ${result.pulled} received, ${result.conflicts} conflicts; journals: ${listed(result.journal)}.`);
  console.log(`Kills: ${listed(result.kills)}.`);
  console.log(`Runs: ${listed(result.runs)}.`);
  console.log(`Faults, at least: ${listed(result.faults)}.`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seed, minutes, ...result }, null, 2)}\n`);
  }
}

async function gateways(): Promise<void> {
  const minutes = Number(values.minutes);
  console.log(`gateways, seed ${seed}: 2 gateways on one PostgreSQL for ${minutes} minutes, killed and cut again and again`);
  buildCommandLine();
  const result = await runGateways({
    seed,
    program: 'built',
    clients: 16,
    seconds: minutes * 60,
    pauseMs: 4000,
    holdMs: 5000,
    onProgress: show,
  });
  console.log(
    `\n${result.calls} calls: ${result.acknowledged} writes acknowledged, ${result.refused} refused, ${result.unknown} without an answer, ${result.reads} reads; ${result.documents} documents.`,
  );
  console.log(
    `${result.changes} changes and ${result.versions} versions in ${result.pages} pages of feeds. All was checked in ${(result.checkedMs / 1000).toFixed(0)} s.`,
  );
  console.log(
    `Faults: ${listed(result.faults)}; ${result.cutConnections} connections cut. The slowest recovery took ${(result.slowestRecoveryMs / 1000).toFixed(1)} s.`,
  );
  console.log(`Answers: ${listed(result.counts)}.`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seed, minutes, ...result }, null, 2)}\n`);
  }
  if (result.problems.length > 0) {
    throw new Error(`${result.problems.length} violations:\n${result.problems.slice(0, 20).join('\n')}`);
  }
  console.log('No violation.');
}

const parts: Readonly<Record<string, () => Promise<void> | void>> = { crash, differential, fuzz, http, load, kill, sync, gateways };
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
