import { expect } from 'vitest';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { recorded } from './support/recorded.ts';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

const SESSION = 'x-ms-session-token';

sdkSuite((feature) => {
  feature('sessions.tokens', 'a client sends back the session that it was given', async ({ own }) => {
    const account = await own({ partitions: 2 });
    const { options, exchanges } = recorded();
    const container = await account.container({}, account.connect({ ...options, consistencyLevel: 'Session' }));
    exchanges.splice(0);
    await container.items.create({ id: '1', pk: 'a' });
    await container.item('1', 'a').read();
    await container.item('1', 'a').replace({ id: '1', pk: 'a', n: 1 });
    const onItems = exchanges.filter(({ path }) => path.includes('/docs'));
    const given = onItems.map(({ headers }) => headers[SESSION] as string);
    const sent = onItems.map((exchange) => exchange.sent[SESSION]);
    expect(given.every((token) => /^[01]:-1#\d+$/u.test(token))).toBe(true);
    expect(sent.slice(1)).toEqual(given.slice(0, -1));
    expect(onItems.every(({ headers }) => typeof headers['x-ms-content-path'] === 'string')).toBe(true);
    for (let index = 0; index < 10; index += 1) {
      await container.items.create({ id: '1', pk: `p${index}` });
    }
    const rangesSeen = new Set(
      exchanges.flatMap(({ headers }) => /^(\d)/u.exec((headers[SESSION] as string | undefined) ?? '')?.[1] ?? []),
    );
    expect(rangesSeen).toEqual(new Set(['0', '1']));
    const all = await account.send('GET', `/${container.url}/docs`);
    expect(all.headers.get(SESSION)).toMatch(/^0:-1#\d+,1:-1#\d+$/u);
  });

  feature(['sessions.ahead', 'errors.sub-statuses'], 'a session that was never reached is not served', async ({ account }) => {
    const container = await account.container();
    const { headers } = await container.items.create({ id: '1', pk: 'a' });
    const read = (token: string) =>
      account.send('GET', `/${container.url}/docs/1`, { headers: { 'x-ms-documentdb-partitionkey': '["a"]', [SESSION]: token } });
    expect((await read(headers[SESSION] as string)).status).toBe(200);
    const ahead = await read('0:-1#1000');
    expect([ahead.status, ahead.headers.get('x-ms-substatus')]).toEqual([404, '1002']);
    expect((await read('nonsense')).status).toBe(400);
    // The SDK asks once more, without the session.
    expect((await container.item('1', 'a').read({ sessionToken: '0:-1#1000' })).statusCode).toBe(200);
  });

  feature('sessions.read-your-writes', 'what one client was told is written, every other reads', async ({ account }) => {
    const container = await account.container();
    const others = [account.connect(), account.connect({ consistencyLevel: 'Eventual' })].map((client) => account.as(client, container));
    for (let n = 0; n < 20; n += 1) {
      await container.items.upsert({ id: '1', pk: 'a', n });
      for (const other of others) {
        expect((await other.item('1', 'a').read()).resource).toMatchObject({ n });
        expect((await other.items.query('SELECT VALUE c.n FROM c', { partitionKey: 'a' }).fetchAll()).resources).toEqual([n]);
      }
    }
  });

  feature('ttl.container', 'documents live as long as their container or they themselves say', async ({ own }) => {
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const account = await own({}, runtime);
    const container = await account.container({ defaultTtl: 10 });
    await container.items.create({ id: 'default', pk: 'a' });
    await container.items.create({ id: 'short', pk: 'a', ttl: 5 });
    await container.items.create({ id: 'long', pk: 'a', ttl: 100 });
    await container.items.create({ id: 'ever', pk: 'a', ttl: -1 });
    const alive = async (): Promise<unknown[]> => (await container.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources;
    await runtime.advance(6000);
    expect(await alive()).toEqual(['default', 'long', 'ever']);
    await container.item('default', 'a').patch([{ op: 'set', path: '/touched', value: true }]);
    await runtime.advance(6000);
    expect(await alive()).toEqual(['default', 'long', 'ever']);
    await runtime.advance(6000);
    expect(await alive()).toEqual(['long', 'ever']);
    await runtime.advance(1_000_000);
    expect(await alive()).toEqual(['ever']);
    for (const ttl of [0, -2, null, 1.5, '5']) {
      expect([ttl, await codeOf(container.items.create({ id: 'x', pk: 'a', ttl } as object))]).toEqual([ttl, 400]);
    }
    const off = await account.container();
    await off.items.create({ id: '1', pk: 'a', ttl: 1 });
    const onDemand = await account.container({ defaultTtl: -1 });
    await onDemand.items.create({ id: '1', pk: 'a' });
    await onDemand.items.create({ id: '2', pk: 'a', ttl: 1 });
    await runtime.advance(5000);
    expect((await off.item('1', 'a').read()).statusCode).toBe(200);
    expect((await onDemand.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['1']);
  });

  feature('ttl.everywhere', 'an expired document is missing for everything at once', async ({ own }) => {
    const runtime = new SimulatedRuntime({ startMs: Date.now() });
    const account = await own({}, runtime);
    const container = await account.container({ defaultTtl: 5, uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/email'] }] } });
    const { etag } = await container.items.create({ id: '1', pk: 'a', email: 'ada' });
    await runtime.advance(5000);
    const item = container.item('1', 'a');
    expect((await item.read()).statusCode).toBe(404);
    expect(await codeOf(item.patch([{ op: 'set', path: '/n', value: 1 }]))).toBe(404);
    expect(await codeOf(item.replace({ id: '1', pk: 'a' }, { accessCondition: { type: 'IfMatch', condition: etag } }))).toBe(404);
    expect(await codeOf(item.delete())).toBe(404);
    expect((await container.items.query('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'a' }).fetchAll()).resources).toEqual([0]);
    const batch = await container.items.batch([{ operationType: 'Read', id: '1' } as never], 'a');
    expect(batch.result?.[0]?.statusCode).toBe(404);
    expect((await container.items.create({ id: '2', pk: 'a', email: 'ada' })).statusCode).toBe(201);
    expect((await container.items.create({ id: '1', pk: 'a', email: 'bob' })).statusCode).toBe(201);
  });
});
