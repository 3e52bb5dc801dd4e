import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, type BundledFile } from '../../scripts/bundle.mjs';

const root = mkdtempSync(join(tmpdir(), 'perigee-bundle-'));
const dist = join(root, 'dist');
let files: ReadonlyMap<string, BundledFile>;

beforeAll(async () => {
  writeFileSync(join(root, 'package.json'), '{}');
  files = new Map((await bundle(dist)).map((file) => [file.fileName, file]));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The file that a module is in. */
function fileOf(module: string): string {
  const found = Array.from(files.values()).find(({ modules }) => modules.includes(module));
  expect(found, module).toBeDefined();
  return (found as BundledFile).fileName;
}

/** Names of files and packages that are loaded before the first line of these files runs. */
function loadedWith(...names: readonly string[]): readonly string[] {
  const found = new Set(names);
  for (const name of found) {
    files.get(name)?.imports.forEach((imported) => found.add(imported));
  }
  return Array.from(found);
}

describe('perigee serve of a store in memory', () => {
  const loaded = (): readonly string[] => loadedWith('cli/main.js', fileOf('cli/serve/serve-store.ts'));

  test('listens, and answers for the account, without handlers, the language of queries, other stores and other commands', () => {
    const modules = loaded().flatMap((name) => files.get(name)?.modules ?? []);
    expect(modules).toEqual(
      expect.arrayContaining(['server/open-server.ts', 'stores/memory/memory-backend.ts', 'server/handlers/read-account.ts']),
    );
    const others = [
      /^query\/(?!cost\/|user-functions\.ts)/u,
      /^stores\/(?:cosmos|file|sqlite\/sqlite-\w+)/u,
      /^(?:sync|copy|cli\/(?:query|copy|snapshot|sync))\//u,
      /^server\/(?:handlers\/(?!load-handlers\.ts|read-account\.ts)|admin\/admin-routes|scripts\/script-engine)/u,
    ];
    expect(modules.filter((module) => others.some((other) => other.test(module))).toSorted()).toEqual([]);
  });

  test('loads no other package and few files', () => {
    const own = loaded().filter((name) => files.has(name));
    expect(own.length).toBeLessThanOrEqual(5);
    const further = loaded().filter((name) => !files.has(name) && !name.startsWith('node:'));
    expect(further).toEqual([]);
    expect(loaded()).not.toContain('node:https');
  });
});

test('entries that are for browsers as well need neither parts of Node nor a package to be imported', () => {
  for (const entry of ['index.js', 'stores/memory/index.js', 'testing/index.js', 'sync/index.js', 'tokens/index.js']) {
    expect(files.has(entry)).toBe(true);
    expect(loadedWith(entry).filter((name) => !files.has(name))).toEqual([]);
  }
});

test('sync leads to no store, no server and no query language', () => {
  const modules = loadedWith('sync/index.js').flatMap((name) => files.get(name)?.modules ?? []);
  expect(modules).toContain('sync/engine.ts');
  expect(modules.filter((module) => !/^(?:sync|core|store)\/|^stores\/sqlite\/(?:driver|writer-queue)\.ts$/u.test(module))).toEqual([]);
});

test('files that the code names by their place are there', () => {
  const places = Array.from(files.keys()).flatMap((name) => {
    const text = readFileSync(join(dist, name), 'utf8');
    return Array.from(text.matchAll(/new URL\(["'`](\.[^"'`]*)["'`],\s*import\.meta\.url\)/gu), ([, place]) =>
      join(dist, dirname(name), place as string),
    );
  });
  expect(new Set(places.map((place) => place.slice(root.length + 1).replaceAll('\\', '/')))).toEqual(
    new Set(['package.json', 'dist/stores/sqlite/worker-thread.js', 'dist/server/scripts/thread/script-thread.js']),
  );
  expect(places.filter((place) => !existsSync(place))).toEqual([]);
});
