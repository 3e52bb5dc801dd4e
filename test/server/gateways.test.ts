import { describe, expect, test } from 'vitest';
import type { Container } from '@azure/cosmos';
import { startServer } from '../../src/server/index.ts';
import { openMemoryBackend } from '../../src/stores/memory/index.ts';
import { serve } from './served.ts';
import { sign } from './sign.ts';

/** Status of a read, a replace and a delete of the document with an id; a body that is no JSON counts as `undefined`, as the SDK has it. */
async function statusesOf(container: Container, id: string): Promise<unknown[]> {
  const item = container.item(id, 'a');
  const codeOf = (error: { code?: unknown }): unknown => error.code;
  return [
    await item.read().then(({ statusCode }) => statusCode, codeOf),
    await item.replace({ id, k: 'a' }).then(({ statusCode }) => statusCode, codeOf),
    await item.delete().then(({ statusCode }) => statusCode, codeOf),
  ];
}

const SERVED = [200, 200, 204];
const REFUSED = [401, 401, 401];

describe('with two gateways on one state', () => {
  test.each([
    ['plain', 'Test', SERVED],
    ['with spaces', 'This is a test', SERVED],
    ['beginning with a space', ' Test', SERVED],
    ['ending with a space', 'Test ', REFUSED],
    ['ending with spaces', 'Test   ', REFUSED],
    ['beyond ASCII', 'WithUnicode鱀', SERVED],
    ['of special characters', 'With?,=.:~+-@()^${}[]!_Chars', SERVED],
    ['in base64', 'BQE1D3PdG4N4bzU9TKaCIM3qc0TVcZ2-Y3jnsRfwdHC1ombkX3F1dot-Kg==', SERVED],
    ['ending with an encoded space', 'Test%20', REFUSED],
    ['with an encoded character', 'With%E9%B1%80', REFUSED],
    ['with a percent sign that encodes nothing', '100%', SERVED],
    ['with bytes encoded that are no character', 'a%ffb', SERVED],
    ['with a tab', 'With\tTab', [undefined, undefined, undefined]],
    ['with a line feed', 'With\nLineFeed', [undefined, undefined, undefined]],
    ['with a carriage return', 'With\rCarriageReturn', [undefined, undefined, undefined]],
  ])('a document whose id is %s is there on both, and served by each as in the service', async (_name, id, routing) => {
    const { server, client } = await serve({ computeGatewayPort: 0 });
    const { database } = await client().databases.create({ id: 'app' });
    await database.containers.create({ id: 'c', partitionKey: '/k' });
    const [routed, computed] = [server.url, server.computeGatewayUrl as string].map((endpoint) =>
      client({ endpoint, connectionPolicy: { enableEndpointDiscovery: false } })
        .database('app')
        .container('c'),
    ) as [Container, Container];
    expect((await routed.items.create({ id, k: 'a' })).statusCode).toBe(201);
    expect(await statusesOf(routed, id)).toEqual(routing);
    if (routing === SERVED) {
      await computed.items.create({ id, k: 'a' });
    }
    expect(await statusesOf(computed, id)).toEqual(SERVED);
  });

  test('a path with a control character is answered as in the service, with 400 and no JSON', async () => {
    const { server, send } = await serve({ computeGatewayPort: 0 });
    const response = await send('GET', '/dbs/app/colls/c/docs/a%09b');
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'text/html; charset=us-ascii']);
    expect(await response.text()).toContain('Invalid URL');
    expect(new URL(server.computeGatewayUrl as string).port).not.toBe(String(server.port));
  });

  test('the account names the gateway that was asked', async () => {
    const { server } = await serve({ computeGatewayPort: 0 });
    const date = new Date().toUTCString();
    for (const url of [server.url, server.computeGatewayUrl as string]) {
      const response = await fetch(url, { headers: { 'x-ms-date': date, authorization: sign('GET', '/', date) } });
      const account = (await response.json()) as { writableLocations: { databaseAccountEndpoint: string }[] };
      expect(account.writableLocations[0]?.databaseAccountEndpoint).toBe(`${url}/`);
    }
  });

  test('closing closes both, and a second port that is taken leaves the first free', async () => {
    const { server } = await serve();
    const backend = openMemoryBackend();
    await expect(startServer({ backend, port: 0, computeGatewayPort: server.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    const two = await startServer({ backend, port: 0, computeGatewayPort: 0 });
    await two.close();
    for (const url of [two.url, two.computeGatewayUrl as string]) {
      await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
    }
    await backend.close();
  });
});

test('with one gateway every id is served', async () => {
  const { server, client } = await serve();
  expect(server.computeGatewayUrl).toBeUndefined();
  const { database } = await client().databases.create({ id: 'app' });
  const { container } = await database.containers.create({ id: 'c', partitionKey: '/k' });
  for (const id of ['Test ', 'Test%20', 'With\tTab']) {
    await container.items.create({ id, k: 'a' });
    expect(await statusesOf(container, id)).toEqual(SERVED);
  }
});
