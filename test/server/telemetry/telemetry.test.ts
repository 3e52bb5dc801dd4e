import { request as httpRequest } from 'node:http';
import type { Container } from '@azure/cosmos';
import { context, ROOT_CONTEXT, trace, TraceFlags, type Context, type ContextManager } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerOptions } from '../../../src/server/index.ts';
import { openMemoryBackend } from '../../../src/stores/memory/index.ts';
import { serve, type Served } from '../served.ts';
import { sign } from '../sign.ts';

interface Watched extends Served {
  readonly spans: (name?: string) => ReadableSpan[];
  /** Points of a metric, as values or sums by attributes. */
  readonly points: (
    metric: string,
  ) => Promise<readonly { readonly attributes: object; readonly value: number; readonly count: number | undefined }[]>;
}

async function watch(options: Partial<ServerOptions> = {}): Promise<Watched> {
  const spanExporter = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })],
  });
  onTestFinished(async () => {
    await Promise.all([tracers.shutdown(), meters.shutdown()]);
  });
  const served = await serve({ ...options, telemetry: { tracer: tracers.getTracer('test'), meter: meters.getMeter('test') } });
  return {
    ...served,
    spans: (name) => spanExporter.getFinishedSpans().filter((span) => name === undefined || span.name === name),
    points: async (metric) => {
      metricExporter.reset();
      await meters.forceFlush();
      const found = metricExporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .filter(({ descriptor }) => descriptor.name === metric);
      return found
        .flatMap(({ dataPoints }) => dataPoints as DataPoint<number | Histogram>[])
        .map(({ attributes, value }) =>
          typeof value === 'number' ? { attributes, value, count: undefined } : { attributes, value: value.sum ?? 0, count: value.count },
        );
    },
  };
}

/** Spans end when answers were taken, which a client may see a moment earlier. */
async function spanOf(watched: Watched, name: string): Promise<ReadableSpan> {
  await expect.poll(() => watched.spans(name).length).toBeGreaterThan(0);
  return watched.spans(name)[0] as ReadableSpan;
}

async function withNotes(watched: Watched): Promise<Container> {
  const { database } = await watched.client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'notes', partitionKey: '/owner' });
  return container;
}

describe('telemetry of a server', () => {
  test('notes operations by the conventions for Cosmos DB, with what the client was told', async () => {
    const watched = await watch();
    const notes = await withNotes(watched);
    const created = await notes.items.create({ id: 'secret-id', owner: 'ada', text: 'secret-text' });
    await notes.items.create({ id: 'other', owner: 'ada' });
    await notes.item('none', 'ada').read();
    const page = await notes.items
      .query(
        { query: "SELECT * FROM c WHERE c.text != 'secret-literal' OR c.id = @id", parameters: [{ name: '@id', value: 'secret-value' }] },
        { partitionKey: 'ada' },
      )
      .fetchAll();
    const create = await spanOf(watched, 'create_item notes');
    expect(create.kind).toBe(1);
    expect(create.attributes).toEqual({
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'http.route': '/dbs/*/colls/*/docs',
      'http.response.status_code': 201,
      'server.address': '127.0.0.1',
      'server.port': watched.server.port,
      'db.system.name': 'azure.cosmosdb',
      'db.operation.name': 'create_item',
      'db.namespace': 'app',
      'db.collection.name': 'notes',
      'db.response.status_code': '201',
      'azure.cosmosdb.operation.request_charge': created.requestCharge,
      'perigee.activity_id': created.activityId,
    });
    expect((await spanOf(watched, 'read_item notes')).attributes).toMatchObject({
      'http.response.status_code': 404,
      'db.response.status_code': '404',
    });
    expect((await spanOf(watched, 'query_items notes')).attributes).toMatchObject({ 'db.response.returned_rows': 1 });
    expect((await spanOf(watched, 'create_database')).attributes).not.toHaveProperty('db.namespace');
    expect((await spanOf(watched, 'create_container app')).attributes).toMatchObject({ 'db.namespace': 'app' });

    const charges = await watched.points('perigee.server.operation.request_charge');
    const ofQuery = charges.filter(({ attributes }) => JSON.stringify(attributes).includes('query_items'));
    expect(ofQuery).toEqual([
      {
        attributes: {
          'db.operation.name': 'query_items',
          'db.system.name': 'azure.cosmosdb',
          'db.namespace': 'app',
          'db.collection.name': 'notes',
          'db.response.status_code': '200',
        },
        value: page.requestCharge,
        count: 1,
      },
    ]);
    const durations = await watched.points('http.server.request.duration');
    const ofCreate = durations.find(({ attributes }) => JSON.stringify(attributes).includes('create_item'));
    expect(ofCreate).toMatchObject({ count: 2, attributes: { 'http.route': '/dbs/*/colls/*/docs', 'http.response.status_code': 201 } });
    expect(await watched.points('perigee.server.operation.returned_rows')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ attributes: expect.objectContaining({ 'db.operation.name': 'query_items' }) as object, value: 1 }),
      ]),
    );
    // One that is not over is the one that asks.
    await expect
      .poll(async () => (await watched.points('http.server.active_requests')).map(({ value }) => value))
      .toSatisfy((values: number[]) => values.every((value) => value === 0));

    const said = JSON.stringify([
      watched.spans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
      charges,
      durations,
    ]);
    expect(said).not.toMatch(/secret|other|SELECT|@id/u);
  });

  test('hangs spans below that of the client, and those of others below its own', async () => {
    const storage = new AsyncLocalStorage<Context>();
    const manager: ContextManager = {
      active: () => storage.getStore() ?? ROOT_CONTEXT,
      with: (given, work, self, ...args) => storage.run(given, () => work.call(self as never, ...args)),
      bind: (_context, target) => target,
      enable: () => manager,
      disable: () => manager,
    };
    context.setGlobalContextManager(manager);
    onTestFinished(() => context.disable());
    const seen: (string | undefined)[] = [];
    const watched = await watch();
    const { backend } = watched;
    const readDatabase = backend.readDatabase.bind(backend);
    backend.readDatabase = (id) => {
      seen.push(trace.getSpanContext(context.active())?.spanId);
      return readDatabase(id);
    };
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const parent = 'b7ad6b7169203331';
    await watched.send('GET', '/dbs/app', { headers: { traceparent: `00-${traceId}-${parent}-01` } });
    const span = await spanOf(watched, 'read_database app');
    expect([span.spanContext().traceId, span.parentSpanContext?.spanId, span.spanContext().traceFlags]).toEqual([
      traceId,
      parent,
      TraceFlags.SAMPLED,
    ]);
    expect(seen).toContain(span.spanContext().spanId);
    for (const [index, wrong] of ['nonsense', `ff-${traceId}-${parent}-01`, `00-${'0'.repeat(32)}-${parent}-01`].entries()) {
      await watched.send('GET', `/dbs/wrong-${index}`, { headers: { traceparent: wrong } });
      expect((await spanOf(watched, `read_database wrong-${index}`)).parentSpanContext).toBeUndefined();
    }
  });

  test('counts what is throttled, refused and failed; strangers make no series of names that they guess', async () => {
    const watched = await watch({
      chaos: {
        rules: [
          { operation: 'read-document', count: 1, effect: { kind: 'status', status: 429, retryAfterMs: 1 } },
          { operation: 'read-document', count: 1, effect: { kind: 'status', status: 503, subStatus: 21008 } },
        ],
      },
    });
    await withNotes(watched);
    const path = '/dbs/app/colls/notes/docs/a';
    const headers = { 'x-ms-documentdb-partitionkey': '["ada"]' };
    expect((await watched.send('GET', path, { headers })).status).toBe(429);
    expect((await watched.send('GET', path, { headers })).status).toBe(503);
    await expect.poll(() => watched.spans('read_item notes').map(({ status }) => status.code)).toEqual([0, 2]);
    expect(watched.spans('read_item notes')[1]?.attributes).toMatchObject({
      'error.type': '503',
      'azure.cosmosdb.response.sub_status_code': 21008,
    });
    expect(await watched.points('perigee.server.throttled_requests')).toEqual([
      {
        attributes: {
          'db.operation.name': 'read_item',
          'db.system.name': 'azure.cosmosdb',
          'db.namespace': 'app',
          'db.collection.name': 'notes',
          'db.response.status_code': '429',
        },
        value: 1,
        count: undefined,
      },
    ]);
    const long = 'x'.repeat(5000);
    expect((await watched.send('GET', `/dbs/guessed/colls/${long}`, { authorization: null })).status).toBe(401);
    expect((await watched.send('GET', '/dbs/guessed/colls/guessed')).status).toBe(404);
    expect((await watched.send('GET', '/guessed')).status).toBe(404);
    expect((await watched.send('GET', '/healthz', { authorization: null })).status).toBe(200);
    await expect.poll(() => watched.spans('GET').map(({ attributes }) => attributes['http.response.status_code'])).toEqual([404]);
    expect(watched.spans().some(({ name }) => name.length > 300)).toBe(false);
    for (const metric of ['http.server.request.duration', 'http.server.active_requests', 'perigee.server.operation.request_charge']) {
      expect(JSON.stringify((await watched.points(metric)).map(({ attributes }) => attributes))).not.toMatch(/guessed|xxx/u);
    }
  });

  test('counts requests that are carried out, wait and are refused', async () => {
    const backend = openMemoryBackend();
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    vi.spyOn(backend, 'listDatabases').mockImplementationOnce(() => gate.then(() => []));
    const watched = await watch({ backend, maxRequests: 1, maxQueuedRequests: 1 });
    const load = async (): Promise<readonly unknown[]> => {
      const names = ['working_requests', 'queued_requests', 'refused_requests'];
      const points = await Promise.all(names.map((name) => watched.points(`perigee.server.${name}`)));
      return points.map(([point]) => [point?.attributes, point?.value]);
    };
    const first = watched.send('GET', '/dbs');
    await expect.poll(async () => (await watched.points('perigee.server.working_requests'))[0]?.value).toBe(1);
    const second = watched.send('GET', '/dbs');
    await expect.poll(async () => (await watched.points('perigee.server.queued_requests'))[0]?.value).toBe(1);
    expect((await watched.send('GET', '/dbs')).status).toBe(429);
    letGo();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    await expect.poll(load).toEqual([
      [{}, 0],
      [{}, 0],
      [{ reason: 'queue_full' }, 1],
    ]);
  });

  test('notes a request whose client went away', async () => {
    const watched = await watch({ chaos: { rules: [{ operation: 'list-databases', effect: { kind: 'delay', delayMs: 60_000 } }] } });
    const date = new Date().toUTCString();
    const client = httpRequest(`${watched.server.url}/dbs`, { headers: { 'x-ms-date': date, authorization: sign('GET', '/dbs', date) } });
    client.on('error', () => undefined);
    client.end();
    await expect.poll(async () => (await watched.points('http.server.active_requests')).map(({ value }) => value)).toEqual([1]);
    client.destroy();
    const span = await spanOf(watched, 'read_all_databases');
    expect(span.attributes).toMatchObject({ 'error.type': 'client_closed_request' });
    expect(span.attributes).not.toHaveProperty('http.response.status_code');
    expect((await watched.points('http.server.active_requests')).map(({ value }) => value)).toEqual([0]);
  });

  test('uses what is registered globally where asked to, and is silent where nothing is', async () => {
    const { send } = await serve({ telemetry: true });
    expect((await send('GET', '/dbs')).status).toBe(200);
    const exporter = new InMemorySpanExporter();
    const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(tracers);
    onTestFinished(() => trace.disable());
    const watched = await serve({ telemetry: true });
    await watched.send('GET', '/dbs');
    await expect.poll(() => exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['read_all_databases']);
    const silent = await serve();
    await silent.send('GET', '/dbs');
    expect(exporter.getFinishedSpans()).toHaveLength(1);
  });
});
