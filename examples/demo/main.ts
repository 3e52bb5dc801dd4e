/**
 * The whole of Perigee in one run: a Cosmos-compatible server, the official SDK, two offline devices, a crash, and proof that all end up equal.
 *
 * `npm run demo [-- --json] [-- --keep]`. Exit code 0 only when every document is the same on all three sides.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CosmosClient, type Container, type JSONObject } from '@azure/cosmos';
import { startServer, WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openSqliteBackend } from '../../src/stores/sqlite/index.ts';
import { openCable } from './cable.ts';
import { DeviceProcess } from './device-process.ts';
import { deviceEdits, SCOPE, sharedFilm, thirdPartyEdits } from './story.ts';
import { loadMovies, type Movie } from './movies.ts';
import { compareSides } from './verify.ts';

const { values: flags } = parseArgs({ options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } } });
if (flags.help === true) {
  console.log('npm run demo [-- --json] [-- --keep]\n  --json  one JSON object instead of text\n  --keep  leave the files to look at');
  process.exit(0);
}
const startedMs = performance.now();
const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
const facts: Record<string, unknown> = {};
let step = 0;
const say = (title: string, line: string): void => {
  step += title === '' ? 0 : 1;
  if (flags.json !== true) {
    console.log(`${title === '' ? '  ' : String(step).padStart(2)}  ${title.padEnd(10)} ${line}`);
  }
};

async function load(container: Container, movies: readonly Movie[]): Promise<void> {
  const results = await container.items.executeBulkOperations(
    movies.map((movie) => ({ operationType: 'Create' as const, partitionKey: movie.studio, resourceBody: movie as unknown as JSONObject })),
  );
  const failed = results.filter(({ error, response }) => error !== undefined || response?.statusCode !== 201);
  if (failed.length > 0) {
    throw new Error(`${failed.length} documents were not created.`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'perigee-demo-'));
const backend = await openSqliteBackend({ path: join(folder, 'server.sqlite') });
const server = await startServer({ backend, port: 0 });
const sdk = new CosmosClient({ endpoint: server.url, key: WELL_KNOWN_KEY });
const cables = [await openCable(server.url), await openCable(server.url)] as const;
const setting = (name: string, cable: number, killAt?: string) => ({
  name,
  file: join(folder, `${name}.sqlite`),
  endpoint: (cables[cable] as { url: string }).url,
  key: WELL_KNOWN_KEY,
  scope: SCOPE,
  killAt,
});
try {
  const movies = loadMovies();
  let sinceMs = performance.now();
  const { database } = await sdk.databases.create({ id: 'cinema' });
  const { container } = await database.containers.create({ id: 'films', partitionKey: { paths: ['/studio'] }, defaultTtl: -1 });
  await load(container, movies);
  say(
    'server',
    `${server.url} on SQLite; @azure/cosmos loaded ${movies.length} films (vega-datasets, BSD-3-Clause) in ${seconds(sinceMs)}`,
  );

  sinceMs = performance.now();
  const [phone, laptop] = (await Promise.all([DeviceProcess.start(setting('phone', 0)), DeviceProcess.start(setting('laptop', 1))])).map(
    ({ device }) => device,
  ) as [DeviceProcess, DeviceProcess];
  const first = await Promise.all([phone, laptop].map((device) => device.ask({ ask: 'sync', reconcile: false }, 'synced')));
  say(
    'first load',
    `phone ${first[0]?.report.pulled} films, laptop ${first[1]?.report.pulled} films of ${SCOPE.length} studios in ${seconds(sinceMs)}`,
  );

  for (const cable of cables) {
    await cable.plug(false);
  }
  const phoneEdits = deviceEdits(movies, 'phone');
  const laptopEdits = deviceEdits(movies, 'laptop');
  const { pending: phonePending } = await phone.ask({ ask: 'edit', edits: phoneEdits }, 'edited');
  const { pending: laptopPending } = await laptop.ask({ ask: 'edit', edits: laptopEdits }, 'edited');
  say(
    'offline',
    `both cables pulled; phone makes ${phoneEdits.length} edits, laptop ${laptopEdits.length}; both change ${sharedFilm(movies).id}, the laptop last`,
  );
  const tried = await phone.ask({ ask: 'sync', reconcile: false }, 'synced');
  say('', `the phone tries to sync: ${tried.report.error ?? tried.report.outcome}; ${phonePending} changes stay pending, nothing lost`);
  facts['offline'] = { phonePending, laptopPending, error: tried.report.error };

  const third = thirdPartyEdits(movies);
  for (const created of third.created) {
    await container.items.create(created);
  }
  await container.item(third.replaced.id, third.replaced.studio).replace(third.replaced);
  await container.item(third.deleted.id, third.deleted.studio).delete();
  say(
    'meanwhile',
    `a third party uses @azure/cosmos: creates ${third.created.length}, replaces ${third.replaced.id} whole, hard-deletes ${third.deleted.id}`,
  );

  for (const cable of cables) {
    await cable.plug(true);
  }
  await phone.close();
  const doomed = (await DeviceProcess.start(setting('phone', 0, 'after-remote-applied'))).device;
  const signal = await doomed.askAndDie({ ask: 'sync', reconcile: false });
  const { device: revived, pending } = await DeviceProcess.start(setting('phone', 0));
  say(
    'crash',
    `the phone is killed (${signal}) after the server took a batch and before the phone knew; restarted, ${pending} changes pending`,
  );
  facts['crash'] = { signal, pending };

  const rounds: Record<string, unknown>[] = [];
  for (const [name, device, reconcile] of [
    ['phone', revived, false],
    ['laptop', laptop, true],
    ['phone', revived, true],
    ['laptop', laptop, false],
  ] as const) {
    const { report } = await device.ask({ ask: 'sync', reconcile: false }, 'synced');
    const swept = reconcile ? (await device.ask({ ask: 'sync', reconcile: true }, 'synced')).report : undefined;
    const decided = report.conflicts.map(({ id, outcome }) => `${id}: ${outcome}`);
    rounds.push({ device: name, ...report, reconciled: swept });
    const sweep = swept === undefined ? '' : `; reconciled: ${swept.deletedLocally} hard-deleted elsewhere`;
    say(
      rounds.length === 1 ? 'sync' : '',
      `${name.padEnd(6)} pushed ${report.pushed}, pulled ${report.pulled}, deleted here ${report.deletedLocally}, conflicts ${report.conflicts.length}${decided.length > 0 ? ` (${decided.join(', ')})` : ''}, ${report.requests} requests, ${report.requestUnits.toFixed(0)} RU${sweep}`,
    );
  }
  facts['rounds'] = rounds;

  const { resources } = await container.items
    .query<Movie>({ query: 'SELECT * FROM c WHERE ARRAY_CONTAINS(@scope, c.studio)', parameters: [{ name: '@scope', value: [...SCOPE] }] })
    .fetchAll();
  const [onPhone, onLaptop] = await Promise.all([revived, laptop].map((device) => device.ask({ ask: 'dump' }, 'dumped')));
  const { documents, differing } = compareSides({ server: resources, phone: onPhone?.movies ?? [], laptop: onLaptop?.movies ?? [] });
  await Promise.all([revived.close(), laptop.close()]);
  const equal = differing.length === 0 && documents > 1000;
  say(
    'verify',
    equal
      ? `equal (${documents} documents on server, phone and laptop, in ${seconds(startedMs)})`
      : `DIFFERENT: ${differing.slice(0, 10).join(', ')}`,
  );
  if (flags.json === true) {
    console.log(
      JSON.stringify({
        documents,
        differing,
        verify: equal ? 'equal' : 'different',
        ...facts,
        elapsedMs: Math.round(performance.now() - startedMs),
      }),
    );
  } else {
    console.log(`\nverify: ${equal ? 'equal' : 'different'}`);
  }
  process.exitCode = equal ? 0 : 1;
} finally {
  sdk.dispose();
  await Promise.all(cables.map((cable) => cable.close()));
  await server.close();
  await backend.close();
  if (flags.keep === true) {
    console.error(`The files are in ${folder}`);
  } else {
    rmSync(folder, { recursive: true, force: true });
  }
}
