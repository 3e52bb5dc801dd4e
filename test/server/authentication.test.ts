import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';
import { serve, sign, type SendOptions } from './served.ts';

const OTHER_KEY = Buffer.from('some other key, as long as it takes').toString('base64');

describe('master-key authentication', () => {
  async function status(options: SendOptions): Promise<{ status: number; code: string; message: string }> {
    const { send } = await serve();
    const response = await send('GET', '/dbs', options);
    const body = (await response.json()) as { code: string; message: string };
    return { status: response.status, ...body };
  }

  test.each<[string, SendOptions, RegExp]>([
    ['no signature', { authorization: null }, /no authorization header/u],
    ['a signature of another key', { key: OTHER_KEY }, /signature .* does not match/u],
    ['an empty signature', { authorization: encodeURIComponent('type=master&ver=1.0&sig=') }, /does not match/u],
    ['a signature of another method', { authorization: sign('POST', '/dbs', new Date().toUTCString()) }, /does not match/u],
    ['a signature of another path', { authorization: sign('GET', '/dbs/x', new Date().toUTCString()) }, /does not match/u],
    ['a date of an hour ago', { date: new Date(Date.now() - 3_600_000).toUTCString() }, /15 minutes/u],
    ['a date of an hour ahead', { date: new Date(Date.now() + 3_600_000).toUTCString() }, /15 minutes/u],
    ['no readable date', { date: 'yesterday' }, /date/u],
    ['a bearer token', { authorization: 'Bearer abc' }, /Bearer tokens are not accepted/u],
    ['a token of a directory', { authorization: encodeURIComponent('type=aad&ver=1.0&sig=abc') }, /Bearer tokens are not accepted/u],
    ['a resource token', { authorization: encodeURIComponent('type=resource&ver=1&sig=abc;') }, /was not issued by this server/u],
    ['what is no token', { authorization: '%' }, /cannot be decoded/u],
  ])('refuses %s with 401 and says why', async (_name, options, message) => {
    const answer = await status(options);
    expect(answer).toMatchObject({ status: 401, code: 'Unauthorized' });
    expect(answer.message).toMatch(message);
    expect(answer.message).not.toContain(WELL_KNOWN_KEY);
  });

  test('accepts a date of ten minutes ago', async () => {
    const { send } = await serve();
    const response = await send('GET', '/dbs', { date: new Date(Date.now() - 600_000).toUTCString() });
    expect(response.status).toBe(200);
  });

  test('accepts a signature in lower-case percent encoding, and one that is not encoded', async () => {
    const { send } = await serve();
    const date = new Date().toUTCString();
    const encoded = sign('GET', '/dbs', date);
    const lower = encoded.replaceAll(/%[0-9A-F]{2}/gu, (code) => code.toLowerCase());
    for (const authorization of [lower, decodeURIComponent(encoded)]) {
      expect((await send('GET', '/dbs', { date, authorization })).status).toBe(200);
    }
  });

  test('serves with the key it was given and no other', async () => {
    const { client, server } = await serve({ key: OTHER_KEY });
    await client().databases.create({ id: 'app' });
    await expect(client({ endpoint: server.url, key: WELL_KNOWN_KEY }).database('app').read()).rejects.toMatchObject({ code: 401 });
  });

  test('the clock of dates is the runtime of the server, not that of the backend', async () => {
    const runtime = new SimulatedRuntime({ seed: 1 });
    const { send } = await serve({ runtime });
    const now = new Date(runtime.nowMs()).toUTCString();
    expect((await send('GET', '/dbs', { date: now })).status).toBe(200);
    expect((await send('GET', '/dbs')).status).toBe(401);
  });

  test('verifies names that need encoding, and links by resource id as clients sign them', async () => {
    const { client, send, backend } = await serve();
    const { database } = await client().databases.create({ id: 'Ein Name, +100% 鱀' });
    expect((await database.read()).resource?.id).toBe('Ein Name, +100% 鱀');
    const { rid } = (await backend.listDatabases())[0] as { rid: string };

    const byName = await send('GET', `/dbs/${rid}`);
    expect(byName.status).toBe(200);

    const date = new Date().toUTCString();
    const text = `get\ndbs\n${rid.toLowerCase()}\n${date.toLowerCase()}\n\n`;
    const signature = createHmac('sha256', Buffer.from(WELL_KNOWN_KEY, 'base64')).update(text).digest('base64');
    const byRid = await send('GET', `/dbs/${rid}/`, { date, authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`) });
    expect(byRid.status).toBe(200);
    expect(await byRid.json()).toMatchObject({ id: 'Ein Name, +100% 鱀', _rid: rid });
  });
});
