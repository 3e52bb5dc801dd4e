import { describe, expect, test } from 'vitest';
import { serve, type Served } from './served.ts';

interface OfferJson {
  readonly id: string;
  readonly _etag: string;
  readonly offerResourceId: string;
  readonly content: { readonly offerThroughput: number; readonly offerAutopilotSettings?: { readonly maxThroughput: number } };
}

const TO_AUTOSCALE = { 'x-ms-cosmos-migrate-offer-to-autopilot': 'true' };
const TO_MANUAL = { 'x-ms-cosmos-migrate-offer-to-manual-throughput': 'true' };

async function offersOf({ send }: Served): Promise<readonly OfferJson[]> {
  return ((await (await send('GET', '/offers')).json()) as { readonly Offers: readonly OfferJson[] }).Offers;
}

async function replace({ send }: Served, offer: OfferJson, content: object, headers: Record<string, string> = {}): Promise<Response> {
  return send('PUT', `/offers/${offer.id}`, { headers, body: JSON.stringify({ ...offer, content }) });
}

async function openWith(throughput: object): Promise<{ readonly served: Served; readonly offer: OfferJson }> {
  const served = await serve();
  const { database } = await served.client().databases.create({ id: 'app' });
  await database.containers.create({ id: 'c', partitionKey: '/k', ...throughput });
  const [offer] = await offersOf(served);
  return { served, offer: offer as OfferJson };
}

describe('offers', () => {
  test('change from manual to autoscale by a header, and say so where it is missing', async () => {
    const { served, offer } = await openWith({ throughput: 1500 });
    const without = await replace(served, offer, { ...offer.content, offerAutopilotSettings: { maxThroughput: 4000 } });
    expect(without.status).toBe(400);
    expect(await without.text()).toContain('x-ms-cosmos-migrate-offer-to-autopilot must be supplied');
    expect((await replace(served, offer, { offerAutopilotSettings: { maxThroughput: 4000 } }, TO_AUTOSCALE)).status).toBe(400);
    expect((await replace(served, offer, offer.content, { ...TO_AUTOSCALE, ...TO_MANUAL })).status).toBe(400);
    const migrated = (await (await replace(served, offer, offer.content, TO_AUTOSCALE)).json()) as OfferJson;
    expect(migrated).toMatchObject({ id: offer.id, content: { offerAutopilotSettings: { maxThroughput: 2000 } } });
    const raised = await replace(served, migrated, { ...migrated.content, offerAutopilotSettings: { maxThroughput: 5000 } });
    expect(await raised.json()).toMatchObject({ content: { offerAutopilotSettings: { maxThroughput: 5000 } } });
  });

  test('change from autoscale to manual by a header, to what was the maximum', async () => {
    const { served, offer } = await openWith({ maxThroughput: 4000 });
    const without = await replace(served, offer, { offerThroughput: 800 });
    expect(without.status).toBe(400);
    expect(await without.text()).toContain('x-ms-cosmos-migrate-offer-to-manual-throughput must be supplied');
    const migrated = (await (await replace(served, offer, offer.content, TO_MANUAL)).json()) as OfferJson;
    expect(migrated.content.offerThroughput).toBe(4000);
    expect(migrated.content).not.toHaveProperty('offerAutopilotSettings');
    expect((await replace(served, migrated, { offerThroughput: 600 })).status).toBe(200);
  });

  test.each([100, 450, 399, 0, -400, 1.5, 'much', null])('a throughput of %j is refused', async (offerThroughput) => {
    const { served, offer } = await openWith({});
    expect((await replace(served, offer, { offerThroughput })).status).toBe(400);
    expect((await offersOf(served))[0]?.content.offerThroughput).toBe(400);
  });

  test('of two changes with one etag at once, one takes effect', async () => {
    for (const throughput of [{}, { throughput: 1000 }]) {
      const { served, offer } = await openWith(throughput);
      const headers = { 'if-match': offer._etag };
      const statuses = await Promise.all(
        [500, 600, 700].map(async (n) => (await replace(served, offer, { offerThroughput: n }, headers)).status),
      );
      expect(statuses.toSorted((left, right) => left - right)).toEqual([200, 412, 412]);
    }
  });

  test('of a database are shared by its containers, which have one only if they were made with one', async () => {
    const served = await serve();
    const { database } = await served.client().databases.create({ id: 'app', throughput: 700 });
    const { container: sharing } = await database.containers.create({ id: 'sharing', partitionKey: '/k' });
    const { container: own } = await database.containers.create({ id: 'own', partitionKey: '/k', throughput: 900 });
    expect((await database.readOffer()).resource?.content?.offerThroughput).toBe(700);
    expect((await sharing.readOffer()).resource).toBeUndefined();
    expect((await own.readOffer()).resource?.content?.offerThroughput).toBe(900);
    const { resource } = await database.read();
    expect((await offersOf(served)).map(({ offerResourceId }) => offerResourceId)).toContain(
      (resource as unknown as { _rid: string })._rid,
    );
    await own.delete();
    expect(await offersOf(served)).toHaveLength(1);
    await database.delete();
    expect(await offersOf(served)).toEqual([]);
  });
});
