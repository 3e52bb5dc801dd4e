import { expect, test } from 'vitest';
import { LazyModule } from '../../src/core/lazy-module.ts';

test('a module that is loaded late is loaded once for all who ask, and is at hand afterwards', async () => {
  let imports = 0;
  const lazy = new LazyModule(async () => {
    imports += 1;
    return { answer: 42 };
  });
  expect(lazy.loaded).toBeUndefined();
  expect(imports).toBe(0);
  const [first, second] = await Promise.all([lazy.load(), lazy.load()]);
  expect(second).toBe(first);
  expect(lazy.loaded).toBe(first);
  expect(imports).toBe(1);
});

test('a module that cannot be loaded fails everybody who waits for it, and is tried again', async () => {
  let isThere = false;
  const lazy = new LazyModule(() => (isThere ? Promise.resolve({ answer: 42 }) : Promise.reject(new Error('no such file'))));
  await expect(Promise.all([lazy.load(), lazy.load()])).rejects.toThrow('no such file');
  expect(lazy.loaded).toBeUndefined();
  isThere = true;
  expect(await lazy.load()).toEqual({ answer: 42 });
});
