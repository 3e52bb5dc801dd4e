import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CosmosClient, type Container } from '@azure/cosmos';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { atOnce } from '../at-once.ts';
import { compareRates, timed, type BenchResult } from '../harness.ts';

const AT_ONCE = 16;
const READS = 1600;
const QUERIES = 320;

async function start(file: string, argument?: string, message?: object): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(new URL(`../children/${file}`, import.meta.url), argument === undefined ? [] : [argument], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  if (message !== undefined) {
    child.send(message);
  }
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { url: string }).url };
}

/** One signed request, for its exact bytes. */
async function record(
  url: string,
  verb: string,
  type: string,
  link: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ headers: Record<string, string>; body: string }> {
  const date = new Date().toUTCString().toLowerCase();
  const signature = createHmac('sha256', Buffer.from(WELL_KNOWN_KEY, 'base64'))
    .update(`${verb.toLowerCase()}\n${type}\n${link}\n${date}\n\n`)
    .digest('base64');
  const response = await fetch(new URL(path, url), {
    method: verb,
    headers: {
      authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
      'x-ms-date': date,
      'x-ms-version': '2020-07-15',
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${verb} ${path} answered ${response.status}: ${text}`);
  }
  const kept = Object.fromEntries(
    Array.from(response.headers).filter(
      ([name]) => !['connection', 'keep-alive', 'date', 'transfer-encoding', 'content-length'].includes(name),
    ),
  );
  return { headers: kept, body: text };
}

function client(url: string): { client: CosmosClient; container: Container } {
  const made = new CosmosClient({ endpoint: url, key: WELL_KNOWN_KEY });
  return { client: made, container: made.database('bench').container('docs') };
}

const QUERY = 'SELECT * FROM c WHERE c.owner = "owner-3" AND c.rank < 2000';

/** Point reads and single-partition queries through the official SDK, against a bare server that answers the same bytes to the same client. */
export async function* run(): AsyncGenerator<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const perigee = await start('serve-child.ts', join(folder, 'server.sqlite'));
  const document = await record(
    perigee.url,
    'GET',
    'docs',
    'dbs/bench/colls/docs/docs/doc-00000003',
    'dbs/bench/colls/docs/docs/doc-00000003',
    { 'x-ms-documentdb-partitionkey': '["owner-3"]' },
  );
  const page = await record(
    perigee.url,
    'POST',
    'docs',
    'dbs/bench/colls/docs',
    'dbs/bench/colls/docs/docs',
    { 'x-ms-documentdb-partitionkey': '["owner-3"]', 'x-ms-documentdb-isquery': 'true', 'content-type': 'application/query+json' },
    JSON.stringify({ query: QUERY, parameters: [] }),
  );
  const account = await record(perigee.url, 'GET', '', '', '', {});
  const bare = await start('bare-child.ts', undefined, { document, page, account: account.body });
  const sides = [client(perigee.url), client(bare.url)] as const;
  try {
    const reads = (container: Container) => () =>
      timed(READS, () =>
        atOnce(AT_ONCE, READS, async () => {
          const { resource } = await container.item('doc-00000003', 'owner-3').read<{ id: string }>();
          if (resource?.id !== 'doc-00000003') {
            throw new Error('The point read did not answer the document.');
          }
        }),
      );
    yield await compareRates({
      name: 'server: SDK point reads, 16 at once',
      unit: 'reads/s',
      rounds: 9,
      atLeast: 0.7,
      measured: reads(sides[0].container),
      baseline: reads(sides[1].container),
    });
    const queries = (container: Container) => () =>
      timed(QUERIES, () =>
        atOnce(AT_ONCE, QUERIES, async () => {
          await container.items.query(QUERY, { partitionKey: 'owner-3' }).fetchAll();
        }),
      );
    yield await compareRates({
      name: 'server: SDK partition queries, 16 at once',
      unit: 'queries/s',
      rounds: 7,
      measured: queries(sides[0].container),
      baseline: queries(sides[1].container),
    });
  } finally {
    for (const side of sides) {
      side.client.dispose();
    }
    await Promise.all(
      [perigee.child, bare.child].map((child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        return gone;
      }),
    );
    rmSync(folder, { recursive: true, force: true });
  }
}
