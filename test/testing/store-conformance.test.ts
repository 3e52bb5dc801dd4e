import nodeTest from 'node:test';
import { describe, expect, test } from 'vitest';
import { openMemoryBackend } from '../../src/stores/memory/memory-backend.ts';
import type { ConformanceRunner, StoreConformanceOptions } from '../../src/testing/conformance/conformance-context.ts';
import { storeConformance } from '../../src/testing/store-conformance.ts';
import { MUTANTS, override, type Mutant } from './broken-stores.ts';

interface Collected {
  readonly topic: string;
  readonly name: string;
  readonly body: () => Promise<void>;
}

/** What a runner would run, so that the suite can be run here on stores that must fail it. */
function collect(options: Omit<StoreConformanceOptions, 'runner' | 'print'>, printed: string[] = []): Collected[] {
  const collected: Collected[] = [];
  const path: string[] = [];
  storeConformance({
    ...options,
    print: (line) => printed.push(line),
    runner: {
      describe: (name, body) => {
        path.push(name);
        body();
        path.pop();
      },
      test: (name, body) => {
        collected.push({ topic: path.at(-1) as string, name, body });
      },
    },
  });
  return collected;
}

function collectFor({ wrap, backend: change, runtime: shift }: Omit<Mutant, 'name' | 'noticedBy'>): Collected[] {
  return collect({
    wrap,
    open: async ({ runtime }) => {
      const backend = openMemoryBackend({ runtime: shift?.(runtime) ?? runtime });
      return { backend: change?.(backend) ?? backend, dispose: () => backend.close() };
    },
  });
}

async function failures(tests: readonly Collected[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { topic, name, body } of tests) {
    await body().catch(() => failed.push(`${topic}: ${name}`));
  }
  return failed;
}

/** Slow, and noticed by none of the mutants but the one it is kept for. */
const SLOW = '10,000 documents';

describe('storeConformance', () => {
  test('every test has a name of its own', () => {
    const names = collectFor({}).map(({ topic, name }) => `${topic}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(200);
  });

  test.each(MUTANTS)('a store that $name fails in the right topics', async ({ noticedBy, ...mutant }) => {
    const tests = collectFor(mutant).filter(({ topic, name }) => noticedBy.includes(topic) && !name.startsWith(SLOW));
    const failed = await failures(tests);
    expect(Array.from(new Set(failed.map((name) => name.split(':')[0])))).toEqual(noticedBy);
  });

  test('the same topics pass on a store that is not broken', async () => {
    const topics = new Set(MUTANTS.flatMap((mutant) => mutant.noticedBy));
    const tests = collectFor({}).filter(({ topic, name }) => topics.has(topic) && !name.startsWith(SLOW));
    expect(await failures(tests)).toEqual([]);
  });

  test('a backend whose clock cannot be moved is tested in real seconds', async () => {
    const printed: string[] = [];
    const tests = collect(
      {
        open: async () => {
          const backend = openMemoryBackend();
          const realClock = { ...backend.capabilities, runtimeClock: false };
          return { backend: override(backend, { capabilities: realClock }), dispose: () => backend.close() };
        },
      },
      printed,
    ).filter(({ topic }) => topic === 'time to live');
    // All at once, since each waits for seconds to pass.
    await Promise.all(tests.map(({ body }) => body()));
    expect(printed).toHaveLength(5);
    expect(printed[0]).toMatch(/^store conformance: left out: .*time to live/u);
  });

  test('runners of other test frameworks fit', () => {
    const runner: ConformanceRunner = { describe: nodeTest.describe, test: nodeTest.test };
    expect(typeof runner.test).toBe('function');
  });
});
