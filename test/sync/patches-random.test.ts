/** A property: whatever is patched and put on devices, they and the remote end equal. */
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { serveRemote } from '../../src/simulator/served-remote.ts';
import type { DocumentStore } from '../../src/store/document-store.ts';
import type { PatchOperation } from '../../src/store/operations.ts';
import { applyPatch } from '../../src/store/patch.ts';
import { mergeFields } from '../../src/sync/index.ts';
import { note, patchedIn, watched, type Operation } from './patches-scene.ts';
import { contents, NOTES, plain, synced, World, type Device, type DeviceOptions } from './world.ts';

/** A patch that applies to a document, drawn from what it has. */
function randomPatch(random: () => number, document: JsonObject): PatchOperation[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const value = (): unknown => pick([1, 'text', null, { deep: { er: 1 } }, [1, 2], {}, '😀', 0.5]);
  const path = (): string =>
    random() < 0.02
      ? '/odd name'
      : pick(['/a', '/b', '/c', '/a/deep', '/b/deep', '/a/deep/er', '/b/x', '/c/0', '/c/-', '/a/0', '/a/ö', '/local']);
  const operations: PatchOperation[] = [];
  for (let tries = 0; tries < 40 && operations.length < 1 + random() * 4; tries += 1) {
    const operation = pick<() => PatchOperation>([
      () => ({ op: 'set', path: path(), value: value() }) as PatchOperation,
      () => ({ op: 'add', path: path(), value: value() }) as PatchOperation,
      () => ({ op: 'replace', path: path(), value: value() }) as PatchOperation,
      () => ({ op: 'remove', path: path() }),
      () => ({ op: 'incr', path: path(), value: 2 }),
      () => ({ op: 'move', from: path(), path: path() }),
    ])();
    try {
      applyPatch(document, [...operations, operation]);
      operations.push(operation);
    } catch {
      // It does not apply; another one does.
    }
  }
  return operations;
}

let world: World;

describe('whatever is patched, the remote ends equal', () => {
  afterEach(() => world.close());

  const run = async (seed: number, steps: number, remote?: DocumentStore<JsonObject>): Promise<number> => {
    const sent: Operation[][] = [];
    const options: DeviceOptions = {
      wrap: (store) => watched(sent, store),
      localFields: seed % 3 === 0 ? { notes: ['/local', '/b/x'] } : {},
      ...(seed % 2 === 0 ? { policy: mergeFields() } : {}),
      ...(remote === undefined ? {} : { remote: () => watched(sent, remote), containers: [NOTES] }),
    };
    const devices = [await world.device(options), await world.device(options)];
    const random = (): number => world.runtime.random();
    for (let step = 0; step < steps; step += 1) {
      const one = devices[random() < 0.7 ? 0 : 1] as Device;
      const held = (await one.notes.read('1', 'ada'))?.document;
      const chance = random();
      if (held === undefined || chance < 0.08) {
        await one.notes.upsert(note({ a: { deep: {} }, b: {} }));
      } else if (chance < 0.13) {
        await one.notes.delete('1', 'ada');
      } else if (chance < 0.6) {
        const operations = randomPatch(random, plain(held));
        if (operations.length > 0) {
          await one.notes.patch('1', 'ada', operations);
        }
      } else {
        await synced(one);
      }
      if (random() < 0.1) {
        await world.pass(1500);
      }
    }
    for (const one of [...devices, ...devices]) {
      await synced(one);
    }
    const shared = async ({ notes }: Device): Promise<unknown> => JSON.parse(JSON.stringify(await contents(notes)));
    const expected = await contents(await world.remote());
    if (seed % 3 !== 0) {
      expect(await shared(devices[0] as Device), `seed ${seed}`).toEqual(expected);
    }
    for (const one of devices) {
      const report = await one.engine.verify();
      expect(report.differences, `seed ${seed}`).toEqual([]);
    }
    return patchedIn(sent).filter((one) => one === 'set /_perigee').length;
  };

  test('with a remote in memory (60 seeds)', { timeout: 120_000 }, async () => {
    let patches = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      await (world as World | undefined)?.close();
      world = await World.open({ seed });
      patches += await run(seed, 60);
    }
    expect(patches).toBeGreaterThan(200);
  });

  test('through the official client (4 seeds)', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      await (world as World | undefined)?.close();
      world = await World.open({ seed });
      const served = await serveRemote(world.cloud, 'app', 'notes');
      try {
        expect(await run(seed, 60, served.store)).toBeGreaterThan(1);
      } finally {
        await served.close();
      }
    }
  });
});
