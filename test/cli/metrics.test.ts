import { request } from 'node:http';
import { expect, test } from 'vitest';
import { postgresForTests } from '../support/postgres.ts';
import { CliProcess, notesOf, runCli, sdkClient } from './cli-process.ts';

/** The line of `perigee serve --json` with metrics. */
async function serveWithMetrics(
  ...args: readonly string[]
): Promise<{ readonly cli: CliProcess; readonly url: string; readonly metrics: string }> {
  const cli = new CliProcess(['serve', '--port', '0', '--json', '--metrics', '0', ...args]);
  return { cli, ...(JSON.parse(await cli.firstLine()) as { url: string; metrics: string }) };
}

function askAs(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

/** The values of a metric, by their labels. */
async function valuesOf(url: string, name: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return new Map(lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

/** The sum of values whose labels have all of these. */
function sumOf(values: ReadonlyMap<string, number>, ...labels: readonly string[]): number {
  return Array.from(values, ([text, value]) => (labels.every((label) => text.includes(label)) ? value : 0)).reduce(
    (sum, value) => sum + value,
    0,
  );
}

test('Prometheus gets requests, request units and rows by operation, on a port of its own', async () => {
  const { cli, url, metrics } = await serveWithMetrics('--store', 'memory');
  expect(metrics).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/u);
  const notes = await notesOf(sdkClient(url));
  for (const id of ['1', '2', '3']) {
    await notes.items.create({ id, owner: 'ada', secret: 'nobody may read this' });
  }
  await notes.items.query('SELECT * FROM c', { partitionKey: 'ada' }).fetchAll();
  const requests = await valuesOf(metrics, 'http_server_request_duration_count');
  expect(sumOf(requests, 'db_operation_name="create_item"', 'http_response_status_code="201"')).toBe(3);
  const charges = await valuesOf(metrics, 'perigee_server_operation_request_charge_sum');
  expect(sumOf(charges, 'db_operation_name="create_item"', 'db_collection_name="notes"')).toBeGreaterThan(15);
  const rows = await valuesOf(metrics, 'perigee_server_operation_returned_rows_sum');
  expect(sumOf(rows, 'db_operation_name="query_items"')).toBe(3);
  expect(await (await fetch(metrics)).text()).not.toMatch(/\bada\b|secret|nobody/u);
  expect(await cli.stop('SIGTERM')).toMatchObject({ exit: 0, stderr: '' });
});

test('nothing but the metrics is there, and no web page reaches them under another name', async () => {
  const { metrics } = await serveWithMetrics('--store', 'memory');
  const { port } = new URL(metrics);
  expect(await askAs(metrics, `localhost:${port}`)).toBe(200);
  expect(await askAs(metrics, 'attacker.example')).toBe(403);
  expect((await fetch(metrics, { method: 'POST' })).status).toBe(404);
  expect((await fetch(new URL('/', metrics))).status).toBe(404);
});

test('a gateway tells of its connections to PostgreSQL', async () => {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  const store = new URL(url);
  store.searchParams.set('schema', schema);
  const { cli, url: endpoint, metrics } = await serveWithMetrics('--store', store.href);
  await notesOf(sdkClient(endpoint));
  expect(sumOf(await valuesOf(metrics, 'db_client_connection_max'))).toBe(10);
  expect(sumOf(await valuesOf(metrics, 'db_client_connection_count'))).toBeGreaterThan(0);
  expect(sumOf(await valuesOf(metrics, 'db_client_connection_pending_requests'))).toBe(0);
  await cli.stop('SIGTERM');
  await dropSchemas(schema);
});

test('an address that is none, or taken, is refused before anything is served', async () => {
  const { metrics } = await serveWithMetrics('--store', 'memory');
  for (const address of ['here', '1.2.3.4:', '70000', 'a b:1']) {
    const { exit, stderr } = await runCli(['serve', '--store', 'memory', '--port', '0', '--metrics', address]);
    expect([exit, stderr]).toEqual([78, expect.stringContaining('HOST:PORT')]);
  }
  const taken = await runCli(['serve', '--store', 'memory', '--port', '0', '--metrics', new URL(metrics).port]);
  expect([taken.exit, taken.stdout, taken.stderr]).toEqual([69, '', expect.stringContaining('another program does')]);
});
