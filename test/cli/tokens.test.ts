import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partitionKeysOfTemplates } from '../../src/cli/tokens/token-options-of.ts';
import { WELL_KNOWN_KEY } from '../../src/server/index.ts';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { httpTokens } from '../../src/tokens/index.ts';
import { AUDIENCE, failureOf, Issuer, startAccount } from '../tokens/scene.ts';
import { CliProcess, runCli, type Ended } from './cli-process.ts';

const SECRET = 'a-secret-of-this-machine';
const ENV = { PERIGEE_KEY: WELL_KNOWN_KEY, PERIGEE_TOKENS_SECRET: SECRET };

interface Ready {
  readonly url: string;
  readonly database: string;
  readonly containers: readonly string[];
  readonly lifetimeSeconds: number;
  readonly callers: string;
}

async function serve(args: readonly string[]): Promise<{ readonly cli: CliProcess; readonly ready: Ready }> {
  const cli = new CliProcess(['tokens', '--port', '0', '--json', ...args], { env: ENV });
  return { cli, ready: JSON.parse(await cli.firstLine()) as Ready };
}

describe('perigee tokens', () => {
  test('gives tokens to users of a provider, says nothing of them, and stops when asked to', async () => {
    const { server } = await startAccount();
    const issuer = await Issuer.start();
    const account = ['--endpoint', server.url, '--database', 'app', '--container', 'todos'];
    const callers = ['--issuer', issuer.url, '--audience', AUDIENCE, '--partition-key', '{sub}:todo', '--partition-key', '{sub}:list'];
    const { cli, ready } = await serve([...account, ...callers, '--lifetime', '600', '--caller-rate', '5']);
    expect(ready).toMatchObject({ database: 'app', containers: ['todos'], lifetimeSeconds: 600, callers: 'oidc' });
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
    const credential = await issuer.sign();
    const tokens = httpTokens({ url: ready.url, headers: { authorization: `Bearer ${credential}` } }).forUser('ada');
    const { token, lifetimeMs } = await tokens.getToken({ container: 'todos', partitionKey: ['ada:list'], mode: 'all' });
    expect(lifetimeMs).toBeLessThanOrEqual(600_000);
    const backend = await openCosmosBackend({ endpoint: server.url, tokenProvider: tokens });
    const todos = await backend.container('app', 'todos');
    await todos.create({ id: '1', owner: 'ada:list' });
    await backend.close();
    expect((await failureOf(tokens.getToken({ container: 'todos', partitionKey: ['ada'] }))).code).toBe('FORBIDDEN');
    await tokens.getToken({ container: 'todos', partitionKey: ['ada:todo'] });
    expect(await failureOf(tokens.getToken({ container: 'todos', partitionKey: ['ada:todo'], mode: 'all' }))).toMatchObject({
      code: 'THROTTLED',
      retryAfterMs: expect.any(Number) as number,
    });
    const { exit, stdout, stderr } = await cli.stop('SIGTERM');
    expect([exit, stderr]).toEqual([0, '']);
    for (const secret of [token, credential, WELL_KNOWN_KEY, SECRET]) {
      expect(stdout + stderr).not.toContain(secret);
    }
  });

  test('with a secret of this machine takes the user from a header', async () => {
    const { server } = await startAccount();
    const { ready } = await serve(['--endpoint', server.url, '--database', 'app', '--container', 'todos', '--development']);
    expect(ready).toMatchObject({ callers: 'development', lifetimeSeconds: 3600 });
    const ask = async (authorization: string, user?: string): Promise<unknown> => {
      const headers = { authorization, ...(user === undefined ? {} : { 'x-perigee-user': user }) };
      const response = await fetch(ready.url, { method: 'POST', headers, body: '{"container":"todos"}' });
      const body = (await response.json()) as { partitionKey?: unknown; code?: string };
      return body.partitionKey ?? body.code;
    };
    expect(await ask(`Bearer ${SECRET}`, 'ada')).toEqual(['ada']);
    expect(await ask(`Bearer ${SECRET}`, encodeURIComponent('жаба'))).toEqual(['жаба']);
    expect(await ask(`Bearer ${SECRET}`, '%')).toBe('UNAUTHORIZED');
    expect(await ask(`Bearer ${SECRET}`)).toBe('UNAUTHORIZED');
    expect(await ask(`Bearer ${SECRET}x`, 'ada')).toBe('UNAUTHORIZED');
  });

  test('tells people what it serves', async () => {
    const { server } = await startAccount();
    const cli = new CliProcess(
      ['tokens', '--port', '0', '--endpoint', server.url, '--database', 'app', '--container', 'todos', '--development'],
      { env: ENV },
    );
    expect(await cli.firstLine()).toBe('Perigee serves tokens.');
    const { stdout } = await cli.stop('SIGINT');
    for (const part of [
      /address +http:\/\/127\.0\.0\.1:\d+\n/u,
      new URL(server.url).host,
      'database app',
      'for       todos',
      'PERIGEE_TOKENS_SECRET',
      'life      3600 s',
      'Ctrl-C stops it.',
    ]) {
      expect(stdout).toMatch(part);
    }
    expect(stdout).not.toContain(SECRET);
  });

  test('has a help that suffices', async () => {
    const { exit, stdout } = await runCli(['tokens', '--help']);
    expect(exit).toBe(0);
    for (const part of [
      '--endpoint <url>',
      '--container <id>',
      '--issuer <url>',
      '--audience <name>',
      '--jwks-url <url>',
      '--development',
      '--partition-key',
      '--lifetime <seconds>',
      '--caller-rate',
      '--total-rate',
      '127.0.0.1',
      'PERIGEE_KEY',
      'PERIGEE_TOKENS_SECRET',
      'docs/tokens.md',
    ]) {
      expect(stdout).toContain(part);
    }
  });
});

describe('perigee tokens does not start', () => {
  const base = ['tokens', '--port', '0', '--database', 'app', '--container', 'todos'];
  const at = (endpoint: string): readonly string[] => [...base, '--endpoint', endpoint, '--development'];

  function expectEnd({ exit, stdout, stderr }: Ended, code: number, said: string): void {
    expect([exit, stdout, stderr]).toEqual([code, '', expect.stringContaining(said)]);
    expect(stderr).not.toContain(SECRET);
    expect(stderr).not.toContain(WELL_KNOWN_KEY);
  }

  test('with options that make no sense', async () => {
    const endpoint = ['--endpoint', 'http://127.0.0.1:9'];
    const cases: readonly (readonly [args: readonly string[], env: Readonly<Record<string, string>>, said: string])[] = [
      [[...base, ...endpoint, '--development'], { PERIGEE_TOKENS_SECRET: SECRET }, 'PERIGEE_KEY'],
      [[...base, ...endpoint, '--development'], { PERIGEE_KEY: WELL_KNOWN_KEY }, 'PERIGEE_TOKENS_SECRET'],
      [[...base, ...endpoint, '--development'], { ...ENV, PERIGEE_TOKENS_SECRET: 'short' }, 'at least 16 characters'],
      [[...base, ...endpoint, '--development', '--host', '0.0.0.0'], ENV, 'listen on 127.0.0.1'],
      [[...base, ...endpoint, '--development', '--issuer', 'https://x.example.com'], ENV, 'without --issuer'],
      [[...base, ...endpoint], ENV, '--issuer and --audience'],
      [[...base, ...endpoint, '--issuer', 'http://x.example.com', '--audience', 'a'], ENV, 'issuer is an https URL'],
      [[...base, ...endpoint, '--development', '--lifetime', '5'], ENV, 'from 10 to 86400'],
      [[...base, ...endpoint, '--development', '--partition-key', 'all'], ENV, '{sub} not once'],
      [['tokens', '--database', 'app', ...endpoint, '--development'], ENV, '--container names'],
    ];
    const runs = await Promise.all(cases.map(([args, env]) => runCli(args, { env })));
    runs.forEach((ended, index) => expectEnd(ended, 78, (cases[index] as (typeof cases)[number])[2]));
  }, 60_000);

  test('without an account, with a wrong key, without the container, or on a port that is taken', async () => {
    const { server } = await startAccount();
    const wrong = { ...ENV, PERIGEE_KEY: Buffer.from('wrong').toString('base64') };
    const [gone, key, container, port] = await Promise.all([
      runCli(at('http://127.0.0.1:9'), { env: ENV }),
      runCli(at(server.url), { env: wrong }),
      runCli([...at(server.url), '--container', 'missing'], { env: ENV }),
      runCli([...at(server.url), '--port', String(server.port)], { env: ENV }),
    ]);
    expectEnd(gone as Ended, 69, '[UNREACHABLE]');
    expectEnd(key as Ended, 77, '[UNAUTHORIZED]');
    expectEnd(container as Ended, 65, '"missing"');
    expectEnd(port as Ended, 69, '[PORT_IN_USE]');
  }, 60_000);
});

describe('a template of partition keys', () => {
  test('gives each user keys of their own, and none to one whose name could pass for another and a piece of the template', () => {
    const keysOf = partitionKeysOfTemplates(['u/{sub}:todo', 'u/{sub}:list', 'u/{sub}']);
    expect(keysOf({ subject: 'ada' })).toEqual(['u/ada:todo', 'u/ada:list', 'u/ada']);
    expect(keysOf({ subject: 'ada:todo' })).toEqual([]);
    expect(keysOf({ subject: '$& $1 {sub}' })).toEqual(['u/$& $1 {sub}:todo', 'u/$& $1 {sub}:list', 'u/$& $1 {sub}']);
    expect(partitionKeysOfTemplates(['user-{sub}'])({ subject: 'a-b:c' })).toEqual(['user-a-b:c']);
    expect(() => partitionKeysOfTemplates(['{sub}bc', 'ab{sub}'])).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
  });

  test('never gives two users the same key', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 3 });
    const subject = fc.string({ unit: fc.constantFrom('a', 'b', ':'), minLength: 1, maxLength: 5 });
    let given = 0;
    fc.assert(
      fc.property(
        piece,
        fc.array(piece, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        subject,
        subject,
        (same, others, isBefore, one, other) => {
          fc.pre(one !== other);
          const keysOf = partitionKeysOfTemplates(others.map((more) => (isBefore ? `${same}{sub}${more}` : `${more}{sub}${same}`)));
          const mine = keysOf({ subject: one });
          given += mine.length;
          expect(mine.filter((key) => keysOf({ subject: other }).includes(key))).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
    expect(given).toBeGreaterThan(500);
  });
});
