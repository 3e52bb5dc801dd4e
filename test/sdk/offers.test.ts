import type { OfferDefinition } from '@azure/cosmos';
import { expect } from 'vitest';
import { codeOf, sdkSuite } from './support/sdk-suite.ts';

type Content = { readonly offerThroughput: number; readonly offerAutopilotSettings?: { readonly maxThroughput: number } };
const contentOf = (offer: OfferDefinition | undefined): Content | undefined => offer?.content as Content | undefined;

sdkSuite((feature) => {
  feature('offers.manual', 'a container has a throughput that can be read and changed', async ({ account }) => {
    expect(contentOf((await (await account.container()).readOffer()).resource)?.offerThroughput).toBe(400);
    const container = await account.container({ throughput: 1200 });
    const { resource: offer } = await container.readOffer();
    const definition = (await container.read()).resource;
    expect(offer).toMatchObject({ offerVersion: 'V2', resource: definition?._self, offerResourceId: definition?._rid });
    expect(offer?._self).toContain(offer?.id as string);
    const content = { ...contentOf(offer), offerThroughput: 2000 };
    const replaced = await account.client.offer(offer?.id as string).replace({ ...offer, content } as never);
    expect(contentOf(replaced.resource)?.offerThroughput).toBe(2000);
    expect(contentOf((await container.readOffer()).resource)?.offerThroughput).toBe(2000);
    const replace = (change: object) => account.client.offer(offer?.id as string).replace({ ...offer, ...change } as never);
    expect(await codeOf(replace({ offerResourceId: 'AAAA' }))).toBe(400);
    expect(await codeOf(replace({ content: { offerThroughput: 450 } }))).toBe(400);
    expect(await codeOf(account.container({ throughput: 50 }))).toBe(400);
  });

  feature('offers.autoscale', 'a throughput may follow the load up to a maximum', async ({ account }) => {
    const container = await account.container({ maxThroughput: 4000 });
    const { resource: offer } = await container.readOffer();
    expect(contentOf(offer)).toMatchObject({ offerThroughput: 400, offerAutopilotSettings: { maxThroughput: 4000 } });
    const content = { offerThroughput: -1, offerAutopilotSettings: { maxThroughput: 8000 } };
    const replaced = await account.client.offer(offer?.id as string).replace({ ...offer, content } as never);
    expect(contentOf(replaced.resource)?.offerAutopilotSettings?.maxThroughput).toBe(8000);
    const headers = { 'x-ms-offer-throughput': '400', 'x-ms-cosmos-offer-autopilot-settings': '{"maxThroughput":1000}' };
    const both = await account.send('POST', '/dbs', { headers, body: { id: 'both' } });
    expect(both.status).toBe(400);
  });

  feature('offers.database', 'containers share the throughput of their database', async ({ account }) => {
    const { database, resource } = await account.client.databases.create({ id: 'shared', throughput: 900 });
    const { resource: offer } = await database.readOffer();
    expect(contentOf(offer)?.offerThroughput).toBe(900);
    expect(offer?.offerResourceId).toBe(resource?._rid);
    const { container } = await database.containers.create({ id: 'sharing', partitionKey: '/pk' });
    expect((await container.readOffer()).resource).toBeUndefined();
    const { container: own } = await database.containers.create({ id: 'own', partitionKey: '/pk', throughput: 500 });
    expect(contentOf((await own.readOffer()).resource)?.offerThroughput).toBe(500);
    expect((await (await account.database()).readOffer()).resource).toBeUndefined();
  });

  feature('offers.feeds', 'offers are listed and queried, and gone with their container', async ({ own }) => {
    const account = await own();
    const container = await account.container({ throughput: 600 });
    const other = await account.container();
    const self = (await container.read()).resource?._self as string;
    expect((await account.client.offers.readAll().fetchAll()).resources).toHaveLength(2);
    const query = { query: 'SELECT * FROM root WHERE root.resource = @self', parameters: [{ name: '@self', value: self }] };
    const { resources } = await account.client.offers.query<OfferDefinition>(query).fetchAll();
    expect(resources.map((offer) => contentOf(offer)?.offerThroughput)).toEqual([600]);
    const offer = account.client.offer(resources[0]?.id as string);
    expect((await offer.read()).statusCode).toBe(200);
    await container.delete();
    expect(await codeOf(offer.read())).toBe(404);
    expect((await account.client.offers.readAll().fetchAll()).resources).toHaveLength(1);
    expect((await other.readOffer()).resource).toBeDefined();
  });

  feature('conflicts.feed', 'conflicts are listed and queried, and there are none', async ({ account }) => {
    const container = await account.container();
    expect((await container.conflicts.readAll().fetchAll()).resources).toEqual([]);
    expect((await container.conflicts.query('SELECT * FROM root r WHERE r.id = "x"').fetchAll()).resources).toEqual([]);
    // The SDK's own read of one conflict asks for a path that is none, so it is asked for as it should be.
    expect(await account.send('GET', `/${container.url}/conflicts/none`)).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    expect(await codeOf(container.conflict('none', 'a').delete())).toBe(404);
  });
});
