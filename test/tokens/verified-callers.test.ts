import { exportJWK, generateKeyPair, type JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { PerigeeError } from '../../src/core/errors.ts';
import { oidcVerifier } from '../../src/tokens/index.ts';
import { AUDIENCE, openScene } from './scene.ts';

const DEMAND = { container: 'todos', partitionKey: ['ada'], mode: 'all' };

describe('who asks', () => {
  test('is told by a token of the provider, and every other one is refused', async () => {
    const scene = await openScene();
    const { issuer } = scene;
    const seconds = Math.floor(Date.now() / 1000);
    const stranger = await generateKeyPair('ES256');
    const good = await issuer.sign();
    const [head, payload, signature] = good.split('.') as [string, string, string];
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const publicKey = new TextEncoder().encode(JSON.stringify(issuer.jwks.keys[0]));
    const tokens: Readonly<Record<string, string>> = {
      'algorithm none': `${encode({ alg: 'none' })}.${payload}.`,
      'algorithm none with a signature': `${encode({ alg: 'none', kid: 'k1' })}.${payload}.${signature}`,
      'the public key as a shared secret': await issuer.sign({}, { alg: 'HS256', key: publicKey }),
      'a key of somebody else': await issuer.sign({}, { key: stranger.privateKey }),
      'a key that the issuer does not have': await issuer.sign({}, { key: stranger.privateKey, kid: 'k2' }),
      'another issuer': await issuer.sign({ iss: 'https://evil.example.com' }),
      'another audience': await issuer.sign({ aud: 'https://other.example.com' }),
      'no audience': await issuer.sign({ aud: undefined as never }),
      expired: await issuer.sign({ exp: seconds - 31 }),
      'no expiry': await issuer.sign({ exp: undefined as never }),
      'not yet good': await issuer.sign({ nbf: seconds + 60 }),
      'no subject': await issuer.sign({ sub: undefined as never }),
      'an empty subject': await issuer.sign({ sub: '' }),
      'a subject that is too long': await issuer.sign({ sub: 'x'.repeat(1025) }),
      'another payload': `${head}.${encode({ ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), sub: 'bob' })}.${signature}`,
      'no token at all': 'hello',
    };
    for (const [what, token] of Object.entries(tokens)) {
      const { status, headers, body } = await scene.ask(DEMAND, { authorization: `Bearer ${token}` });
      expect([what, status, body['code'], headers.get('www-authenticate')]).toEqual([what, 401, 'UNAUTHORIZED', 'Bearer']);
      expect(JSON.stringify(body)).not.toContain(token.slice(-20));
    }
    for (const headers of [
      {},
      { authorization: good },
      { authorization: `Basic ${good}` },
      { authorization: `Bearer ${good}, Bearer ${good}` },
    ]) {
      expect((await scene.ask(DEMAND, headers as Record<string, string>)).status).toBe(401);
    }
    expect((await scene.ask(DEMAND, { authorization: `bearer  ${good}` })).status).toBe(200);
    expect(
      (await scene.ask(DEMAND, { authorization: `Bearer ${await issuer.sign({ exp: seconds - 20, aud: ['x', AUDIENCE] })}` })).status,
    ).toBe(200);
  });

  test('keys are fetched once, and anew for a key that is not known', async () => {
    const scene = await openScene();
    await Promise.all(Array.from({ length: 10 }, () => scene.ask(DEMAND)));
    expect(scene.issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('a token that names no key is tried with all keys of the issuer', async () => {
    const scene = await openScene();
    const second = await generateKeyPair('ES256');
    scene.issuer.jwks.keys.unshift({ ...(await exportJWK(second.publicKey)), alg: 'ES256' });
    for (const [key, status] of [
      [undefined, 200],
      [second.privateKey, 200],
      [(await generateKeyPair('ES256')).privateKey, 401],
    ] as const) {
      const token = await scene.issuer.sign({}, { kid: undefined, ...(key === undefined ? {} : { key }) });
      expect((await scene.ask(DEMAND, { authorization: `Bearer ${token}` })).status).toBe(status);
    }
    const expired = await scene.issuer.sign({ exp: 1000 }, { kid: undefined });
    expect((await scene.ask(DEMAND, { authorization: `Bearer ${expired}` })).status).toBe(401);
  });

  test('a provider that is down signs nobody out: 503, and it works again afterwards', async () => {
    const scene = await openScene();
    scene.issuer.down = true;
    expect(await scene.ask(DEMAND)).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', retryable: true } });
    scene.issuer.down = false;
    expect((await scene.ask(DEMAND)).status).toBe(200);
    const gone = await openScene({
      verify: oidcVerifier({ issuer: 'http://127.0.0.1:9', audience: AUDIENCE, jwksUrl: 'http://127.0.0.1:9/keys' }),
    });
    expect((await gone.ask(DEMAND)).status).toBe(503);
  });

  test('a configuration of another issuer is not trusted', async () => {
    const scene = await openScene();
    const fake = await openScene({ verify: oidcVerifier({ issuer: `${scene.issuer.url}/`, audience: AUDIENCE }) });
    expect((await fake.ask(DEMAND, { authorization: `Bearer ${await scene.issuer.sign()}` })).status).toBe(503);
  });

  test('further claims may be asked for', async () => {
    const scene = await openScene();
    const strict = await openScene({
      verify: oidcVerifier({ issuer: scene.issuer.url, audience: AUDIENCE, subjectClaim: 'oid', accept: ({ scope }) => scope === 'sync' }),
    });
    const ask = async (claims: JWTPayload): Promise<unknown> =>
      (await strict.ask({ container: 'todos' }, { authorization: `Bearer ${await scene.issuer.sign(claims)}` })).body;
    expect(await ask({ oid: 'o1', scope: 'sync' })).toMatchObject({ partitionKey: ['o1'] });
    expect(await ask({ oid: 'o1', scope: 'other' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await ask({ scope: 'sync' })).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await ask({ oid: 7, scope: 'sync' })).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('options that would let anybody in are refused', async () => {
    const good = { issuer: 'https://login.example.com', audience: 'a' };
    const wrong: readonly object[] = [
      { ...good, algorithms: ['none'] },
      { ...good, algorithms: ['HS256'] },
      { ...good, algorithms: [] },
      { ...good, issuer: 'http://login.example.com' },
      { ...good, issuer: '' },
      { ...good, audience: [] },
      { ...good, audience: '' },
      { ...good, jwksUrl: 'http://keys.example.com/' },
    ];
    for (const options of wrong) {
      expect(() => oidcVerifier(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
    }
  });

  test('a function may tell as well; what it throws is no secret that gets out', async () => {
    const scene = await openScene({
      verify: ({ headers }) => {
        if (headers['x-fail'] === 'typed') {
          throw new PerigeeError('UNAVAILABLE', 'The session store is down.');
        }
        if (headers['x-fail'] === 'unreachable') {
          throw new PerigeeError('UNREACHABLE', 'The session store cannot be reached.');
        }
        if (headers['x-fail'] === 'forbidden') {
          throw new PerigeeError('FORBIDDEN', 'The user is blocked.');
        }
        if (headers['x-fail'] === 'plain') {
          throw new Error(`cannot read the token ${headers['authorization']}`);
        }
        return headers['authorization'] === 'Bearer s3cret' ? { subject: 'ada' } : undefined;
      },
    });
    const ask = async (headers: Record<string, string>): Promise<unknown> => (await scene.ask(DEMAND, headers)).status;
    expect(await ask({ authorization: 'Bearer s3cret' })).toBe(200);
    expect(await ask({ authorization: 'Bearer other' })).toBe(401);
    expect(await ask({ 'x-fail': 'typed' })).toBe(503);
    expect(await ask({ 'x-fail': 'unreachable' })).toBe(503);
    expect(await ask({ 'x-fail': 'forbidden' })).toBe(403);
    expect(await ask({ 'x-fail': 'plain', authorization: 'Bearer s3cret' })).toBe(500);
    expect(scene.log.text()).not.toContain('s3cret');
  });
});
