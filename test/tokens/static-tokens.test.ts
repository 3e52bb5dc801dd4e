import { describe, expect, test } from 'vitest';
import { openCosmosBackend } from '../../src/stores/cosmos/index.ts';
import { functionTokens, staticTokens, type StaticToken } from '../../src/tokens/index.ts';
import { failureOf, openScene } from './scene.ts';

const request = { databaseId: 'app', container: 'todos', partitionKey: ['ada'], mode: 'all', refresh: false } as const;

describe('static tokens', () => {
  test('give the one that says most of what the call is about', async () => {
    const tokens = staticTokens([
      { token: 'any' },
      { token: 'todos', container: 'todos' },
      { token: 'todos of app', container: 'todos', database: 'app' },
      { token: 'read todos', container: 'todos', database: 'app', mode: 'read' },
      { token: 'ada', container: 'todos', partitionKey: 'ada' },
      { token: 'none', container: 'todos', partitionKey: [null] },
      { token: 'deep', container: 'deep', partitionKey: ['a', undefined] },
    ]);
    const given = async (more: object): Promise<string> => (await tokens.getToken({ ...request, ...more })).token;
    expect(await given({})).toBe('ada');
    expect(await given({ partitionKey: ['bob'] })).toBe('todos of app');
    expect(await given({ partitionKey: ['bob'], mode: 'read' })).toBe('read todos');
    expect(await given({ partitionKey: [null] })).toBe('none');
    expect(await given({ databaseId: 'other', partitionKey: ['bob'] })).toBe('todos');
    expect(await given({ container: 'deep', partitionKey: ['a', undefined] })).toBe('deep');
    expect(await given({ container: 'deep', partitionKey: ['a', null] })).toBe('any');
    expect(await given({ container: undefined, partitionKey: undefined })).toBe('any');
  });

  test('refuse what none is for, and what is no token', async () => {
    const tokens = staticTokens([{ token: 's3cret', container: 'todos', partitionKey: 'ada', mode: 'read' }]);
    for (const more of [
      { mode: 'all' },
      { partitionKey: ['bob'], mode: 'read' },
      { container: 'other', mode: 'read' },
      { container: undefined, mode: 'read' },
    ] as const) {
      const error = await failureOf(tokens.getToken({ ...request, ...more }));
      expect([more, error.code]).toEqual([more, 'FORBIDDEN']);
      expect(error.message).not.toContain('s3cret');
    }
    for (const wrong of ['', [{ token: '' }], [{}], [undefined]]) {
      expect(() => staticTokens(wrong as readonly StaticToken[])).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
    }
  });

  test('open an account, and end with what the service says when they end', async () => {
    const scene = await openScene();
    const { body } = await scene.ask({ container: 'todos', partitionKey: ['ada'], mode: 'all' });
    const backend = await openCosmosBackend({ endpoint: scene.server.url, tokenProvider: staticTokens(body['token'] as string) });
    const todos = await backend.container('app', 'todos');
    await todos.create({ id: '1', owner: 'ada' });
    expect((await todos.read('1', 'ada'))?.document.id).toBe('1');
    expect((await failureOf(todos.read('1', 'bob'))).code).toBe('FORBIDDEN');
    await backend.close();
    const forged = await openCosmosBackend({ endpoint: scene.server.url, tokenProvider: staticTokens('type=resource&ver=1.0&sig=x;y;') });
    expect((await failureOf(forged.container('app', 'todos'))).code).toBe('UNAUTHORIZED');
    await forged.close();
  });
});

test('a function that gives no token, or throws, is UNAUTHORIZED with the cause', async () => {
  const cause = new Error('no');
  const throwing = functionTokens(() => {
    throw cause;
  }).forUser('ada');
  expect(await failureOf(throwing.getToken({ container: 'todos' }))).toMatchObject({ code: 'UNAUTHORIZED', cause });
  for (const nothing of [undefined, {}, { token: 7 }, { token: '' }]) {
    expect(
      (
        await failureOf(
          functionTokens(() => nothing as never)
            .forUser('ada')
            .getToken({ container: 'todos' }),
        )
      ).code,
    ).toBe('UNAUTHORIZED');
  }
});
