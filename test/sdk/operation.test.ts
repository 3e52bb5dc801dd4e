import { expect } from 'vitest';
import { codeOf, refusalOf, sdkSuite } from './support/sdk-suite.ts';
import { recorded } from './support/recorded.ts';

const KEY = { 'x-ms-documentdb-partitionkey': '["a"]' };

sdkSuite((feature) => {
  feature(
    ['throttling.enforced', 'throttling.retries'],
    'beyond the throughput requests are refused, and a client that waits gets through',
    async ({ own }) => {
      const account = await own({ enforceThroughput: true });
      const container = await account.container({ throughput: 400 });
      const impatient = account.as(
        account.connect({ connectionPolicy: { retryOptions: { maxRetryAttemptCount: 0 } as never } }),
        container,
      );
      const text = 'x'.repeat(100_000);
      let refusal: { code?: unknown; substatus?: unknown } = {};
      for (let index = 0; index < 100 && refusal.code === undefined; index += 1) {
        refusal = await refusalOf(impatient.items.upsert({ id: '1', pk: 'a', text }));
      }
      expect(refusal).toEqual({ code: 429, substatus: 3200 });
      // All that a second gives is owed now, so a small request is refused as well, unless the next second begins just before it.
      const small = async (): ReturnType<typeof account.send> => {
        await account.send('PUT', `/${container.url}/docs/1`, { headers: KEY, body: { id: '1', pk: 'a', text } });
        return account.send('GET', `/${container.url}/docs/1`, { headers: KEY });
      };
      let raw = await small();
      for (let attempt = 0; attempt < 20 && raw.status !== 429; attempt += 1) {
        raw = await small();
      }
      expect([raw.status, Number(raw.headers.get('x-ms-retry-after-ms')) > 0]).toEqual([429, true]);
      const patient = await container.item('1', 'a').read();
      expect(patient.statusCode).toBe(200);
      expect(Number(patient.headers['x-ms-throttle-retry-count'])).toBeGreaterThan(0);
    },
  );

  feature('request-units.charges', 'the same work costs the same, and more work more', async ({ account }) => {
    const container = await account.container();
    const small = { id: '1', pk: 'a', n: 1 };
    const create = (await container.items.create({ ...small, text: 'x'.repeat(500) })).requestCharge;
    const item = container.item('1', 'a');
    expect((await item.read()).requestCharge).toBe(1);
    expect((await item.read()).requestCharge).toBe(1);
    expect(create).toBeGreaterThan(5);
    expect((await container.items.create({ ...small, id: '2', text: 'x'.repeat(500) })).requestCharge).toBe(create);
    await container.items.create({ id: '3', pk: 'a', text: 'x'.repeat(50_000) });
    expect((await container.item('3', 'a').read()).requestCharge).toBeGreaterThan(4);
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`p${index}`, index]));
    expect((await container.items.create({ ...small, ...many, id: '4' })).requestCharge).toBeGreaterThan(create);
    const bare = await account.container({
      indexingPolicy: { indexingMode: 'consistent', automatic: true, includedPaths: [], excludedPaths: [{ path: '/*' }] },
    });
    const unindexed = (await bare.items.create({ ...small, ...many, id: '4' })).requestCharge;
    const indexed = (await container.items.create({ ...small, ...many, id: '5' })).requestCharge;
    expect(unindexed).toBeLessThan(indexed);
    expect((await item.replace({ ...small, n: 2 })).requestCharge).toBeGreaterThan(1);
    expect((await item.delete()).requestCharge).toBeGreaterThan(1);
    expect((await container.database.read()).requestCharge).toBeGreaterThan(0);
  });

  feature('request-units.queries', 'a query costs what it looks at and returns, the sum of its pages', async ({ own }) => {
    const account = await own({ partitions: 2 });
    const container = await account.container();
    for (let index = 0; index < 30; index += 1) {
      await container.items.create({ id: String(index), pk: `p${index % 4}`, n: index });
    }
    for (const query of ['SELECT * FROM c', 'SELECT * FROM c ORDER BY c.n', 'SELECT VALUE COUNT(1) FROM c']) {
      const options = { maxItemCount: 8 };
      const whole = (await container.items.query(query, options).fetchAll()).requestCharge;
      const pages = container.items.query(query, options);
      let sum = 0;
      while (pages.hasMoreResults()) {
        sum += (await pages.fetchNext()).requestCharge;
      }
      expect(whole).toBeGreaterThan(0);
      expect(Math.abs(whole - sum)).toBeLessThanOrEqual(whole * 0.1);
    }
    const charge = async (query: string, options = {}): Promise<number> =>
      (await container.items.query(query, options).fetchAll()).requestCharge;
    expect(await charge('SELECT * FROM c WHERE c.n = 3')).toBe(await charge('SELECT * FROM c WHERE c.n = 3'));
    expect(await charge('SELECT * FROM c', { partitionKey: 'p1' })).toBeLessThan(await charge('SELECT * FROM c'));
  });

  feature(['errors.form', 'errors.statuses'], 'every error says what it is', async ({ account }) => {
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a' });
    const docs = `/${container.url}/docs`;
    const large = { id: '2', pk: 'a', text: 'x'.repeat(2_200_000) };
    const cases: readonly (readonly [number, string, string, object])[] = [
      [400, 'POST', docs, { headers: KEY, body: '{"id":' }],
      [400, 'POST', docs, { headers: KEY, body: '[]' }],
      [400, 'GET', `${docs}/1`, {}],
      [401, 'GET', `${docs}/1`, { authorization: null }],
      [404, 'GET', `${docs}/none`, { headers: KEY }],
      [404, 'GET', '/nothing', {}],
      [404, 'GET', '/dbs/none/colls/none', {}],
      [405, 'PATCH', '/dbs', {}],
      [409, 'POST', docs, { headers: KEY, body: { id: '1', pk: 'a' } }],
      [412, 'PUT', `${docs}/1`, { headers: { ...KEY, 'if-match': '"old"' }, body: { id: '1', pk: 'a' } }],
      [413, 'POST', docs, { headers: KEY, body: large }],
    ];
    const activities = new Set<string | null>();
    for (const [status, method, path, request] of cases) {
      const answer = await account.send(method, path, request);
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.body).toEqual({
        code: expect.stringMatching(/^[A-Z][A-Za-z]+$/u) as string,
        message: expect.stringMatching(/.{10}/u) as string,
      });
      activities.add(answer.headers.get('x-ms-activity-id'));
    }
    expect(activities.size).toBe(cases.length);
    await expect(container.items.create(large)).rejects.toThrow(/^Message: \{"Errors":\["Request size is too large"\]\}/u);
    const thrown = (await container.items.create({ id: '1', pk: 'a' }).catch((error: unknown) => error)) as Record<string, unknown>;
    expect(thrown).toMatchObject({
      code: 409,
      body: { code: 'Conflict' },
      activityId: expect.stringMatching(/^[0-9a-f-]{36}$/u) as string,
    });
  });

  feature('errors.sub-statuses', 'a container that is gone is told from a document that is not there', async ({ account }) => {
    const container = await account.container();
    const item = await account.send('GET', `/${container.url}/docs/none`, { headers: KEY });
    expect([item.status, item.headers.get('x-ms-substatus') ?? '0']).toEqual([404, '0']);
    const mismatch = await account.send('POST', `/${container.url}/docs`, { headers: KEY, body: { id: '1', pk: 'b' } });
    expect([mismatch.status, mismatch.headers.get('x-ms-substatus')]).toEqual([400, '1001']);
    await container.delete();
    const gone = await account.send('GET', `/${container.url}/docs/none`, { headers: KEY });
    expect([gone.status, gone.headers.get('x-ms-substatus')]).toEqual([404, '1003']);
  });

  feature('faults.statuses', 'any status comes by rule, and the SDK does what it does with it', async ({ own }) => {
    const account = await own();
    const { options, exchanges } = recorded();
    const container = await account.container({}, account.connect(options));
    await container.items.create({ id: '1', pk: 'a' });
    const { chaos } = account.server;
    const item = container.item('1', 'a');
    const under = async (effect: object, call: () => Promise<unknown>, count = 1): Promise<unknown> => {
      chaos.replace({ rules: [{ operation: '*-document', count, effect: { kind: 'status', ...effect } as never }] });
      exchanges.splice(0);
      const code = await codeOf(call());
      return [code, exchanges.filter(({ path }) => path.includes('/docs')).map(({ status }) => status)];
    };
    const read = (): Promise<unknown> => item.read();
    const write = (): Promise<unknown> => item.replace({ id: '1', pk: 'a' });
    expect(await under({ status: 429, subStatus: 3200, retryAfterMs: 2 }, read)).toEqual([undefined, [429, 200]]);
    expect(await under({ status: 429, subStatus: 3200, retryAfterMs: 2 }, write, 3)).toEqual([undefined, [429, 429, 429, 200]]);
    expect(await under({ status: 449 }, write)).toEqual([449, [449]]);
    expect(await under({ status: 500 }, write)).toEqual([500, [500]]);
    expect(await under({ status: 404, subStatus: 1002 }, read)).toEqual([undefined, [404, 200]]);
    expect(await under({ status: 503 }, read)).toEqual([undefined, [503, 200]]);
    expect(await under({ status: 503, applied: true }, write, 9)).toMatchObject([503, expect.arrayContaining([503])]);
    chaos.clear();
  });

  feature('faults.lost-answers', 'a write may be done although its answer was lost', async ({ own }) => {
    const account = await own();
    const container = await account.container();
    await container.read();
    const { chaos } = account.server;
    chaos.replace({ rules: [{ operation: 'create-document', count: 1, effect: { kind: 'drop' } }] });
    await expect(container.items.create({ id: '1', pk: 'a' })).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/u) as string,
    });
    expect((await container.item('1', 'a').read()).statusCode).toBe(200);
    chaos.replace({ rules: [{ operation: 'create-document', count: 1, effect: { kind: 'cut', at: 'request' } }] });
    expect(await codeOf(container.items.create({ id: '2', pk: 'a' }))).toBeDefined();
    expect((await container.item('2', 'a').read()).statusCode).toBe(404);
    expect(chaos.report().rules).toMatchObject([{ seen: 1, fired: 1 }]);
  });

  feature('faults.delays', 'a slow answer comes, or is not waited for', async ({ own }) => {
    const account = await own();
    const container = await account.container();
    await container.items.create({ id: '1', pk: 'a' });
    account.server.chaos.replace({ rules: [{ operation: 'read-document', count: 1, effect: { kind: 'delay', delayMs: 50 } }] });
    expect((await container.item('1', 'a').read()).statusCode).toBe(200);
    account.server.chaos.replace({ rules: [{ operation: 'read-document', effect: { kind: 'delay', delayMs: 600_000 } }] });
    const abort = new AbortController();
    const reading = container.item('1', 'a').read({ abortSignal: abort.signal });
    abort.abort();
    await expect(reading).rejects.toThrow(/abort/iu);
    account.server.chaos.clear();
    expect((await container.item('1', 'a').read()).statusCode).toBe(200);
  });

  feature('tls.certificate', 'HTTPS works for whoever trusts the certificate, and for nobody else', async ({ own }) => {
    const account = await own({ https: true });
    const container = await account.container();
    expect((await container.items.create({ id: '1', pk: 'a' })).statusCode).toBe(201);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([1]);
    const doubting = account.connect({ agent: undefined as never, connectionPolicy: { enableBackgroundEndpointRefreshing: false } });
    expect(await codeOf(doubting.databases.readAll().fetchAll())).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});
