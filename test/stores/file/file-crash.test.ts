import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openFileBackend } from '../../../src/stores/file/file-backend.ts';
import { linesOf, openFolder, temporaryFolder } from './file-folders.ts';
import { expectedPairs } from './programs/pair-write.ts';

const program = fileURLToPath(new URL('programs/write-pairs.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  /** Number of the last write that was acknowledged. */
  readonly acknowledged: () => number;
  readonly ended: Promise<unknown>;
}

function startWriter(...parameters: readonly string[]): Writer {
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...parameters], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    child,
    acknowledged: () => Number(output.split('\n').at(-2) ?? 0),
    ended: new Promise((resolve) => {
      child.on('close', resolve);
    }),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

async function emptyFolder(): Promise<string> {
  const folder = temporaryFolder();
  const backend = await openFolder(folder);
  await backend.createDatabase('shop');
  await backend.createContainer('shop', { id: 'pairs', partitionKey: '/pk' });
  await backend.close();
  return folder;
}

async function heldPairs(folder: string): Promise<{ held: Map<string, number>; position: number }> {
  const backend = await openFileBackend({ folder });
  const store = await backend.container('shop', 'pairs');
  const documents = await store.query<{ id: string; number: number }>('SELECT c.id, c.number FROM c').toArray();
  const held = new Map(documents.map(({ id, number }) => [id, number]));
  const { position } = await store.upsert({ id: 'probe', pk: 'probe' });
  await store.delete('probe', 'probe');
  await backend.close();
  return { held, position: position ?? 0 };
}

const sorted = (map: ReadonlyMap<string, number>): unknown => [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));

describe('a writer that is killed with SIGKILL', () => {
  test('loses nothing that it acknowledged, leaves no half of a batch, and its folder opens at once', { timeout: 60_000 }, async () => {
    const folder = await emptyFolder();
    let writes = 0;
    let lastPosition = 0;
    let random = 20_261_121;
    for (let round = 0; round < 6; round += 1) {
      const writer = startWriter(folder, String(writes + 1), round % 2 === 0 ? '1' : '1000');
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const goal = writes + 40 + (random % 150);
      await until(() => writer.acknowledged() >= goal);
      writer.child.kill('SIGKILL');
      await writer.ended;
      const acknowledged = writer.acknowledged();
      expect(existsSync(join(folder, '.perigee', 'lock'))).toBe(true);
      const lines = linesOf(folder, 'shop', 'pairs.jsonl');
      lines.slice(0, -1).forEach((line) => JSON.parse(line) as unknown);
      const { held, position } = await heldPairs(folder);
      // The write after the last acknowledged one may be there, whole.
      const isNext = JSON.stringify(sorted(held)) === JSON.stringify(sorted(expectedPairs(acknowledged + 1)));
      expect(sorted(held)).toEqual(sorted(expectedPairs(isNext ? acknowledged + 1 : acknowledged)));
      expect(position).toBeGreaterThan(lastPosition);
      lastPosition = position;
      writes = isNext ? acknowledged + 1 : acknowledged;
      expect(linesOf(folder, 'shop', 'pairs.jsonl')).toHaveLength(held.size);
      expect(readdirSync(join(folder, 'shop')).toSorted()).toEqual(['database.json', 'pairs.container.json', 'pairs.jsonl']);
    }
    expect(writes).toBeGreaterThan(240);
  });

  test('within a line: the line, which was never acknowledged, is set aside and kept; elsewhere a broken line is damage', async () => {
    const folder = await emptyFolder();
    const writer = startWriter(folder, '1', '100000', 'hold');
    await until(() => writer.acknowledged() === 1);
    const path = join(folder, 'shop', 'pairs.jsonl');
    const torn = '[{"id":"left 9","pk":"p","te';
    appendFileSync(path, torn);
    writer.child.kill('SIGKILL');
    await writer.ended;
    const warnings: string[] = [];
    const backend = await openFolder(folder, { logger: { log: (level, message) => void warnings.push(`${level}: ${message}`) } });
    const store = await backend.container('shop', 'pairs');
    expect(await store.query('SELECT VALUE c.number FROM c').toArray()).toEqual([1, 1]);
    await backend.close();
    expect(warnings).toEqual([expect.stringContaining('warn: A line that a killed program had begun')]);
    const aside = join(folder, '.perigee', 'torn');
    expect(readdirSync(aside).map((name) => readFileSync(join(aside, name), 'utf8'))).toEqual([torn]);
    // Nobody was killed now, so the same line is a person's.
    appendFileSync(path, torn);
    const again = await openFolder(folder);
    await expect(again.container('shop', 'pairs')).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { line: 3 } });
  });
});

describe('the lock of a folder', () => {
  test('keeps a second writer out, in another process and in this one, while readers may read', async () => {
    const folder = await emptyFolder();
    const writer = startWriter(folder, '1', '1000', 'hold');
    await until(() => writer.acknowledged() === 1);
    const error: unknown = await openFileBackend({ folder }).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'STORE_BUSY', retryable: true });
    expect(String(error)).toContain(`process ${writer.child.pid}`);
    const reader = await openFolder(folder, { readOnly: true });
    const store = await reader.container('shop', 'pairs');
    expect(await store.query('SELECT VALUE c.number FROM c').toArray()).toEqual([1, 1]);
    await expect(store.create({ id: 'x', pk: 'p' })).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await expect(reader.createDatabase('other')).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    writer.child.kill('SIGKILL');
    await writer.ended;
    const own = await openFolder(folder);
    await expect(openFileBackend({ folder })).rejects.toMatchObject({ code: 'STORE_BUSY' });
    await own.close();
    await (await openFolder(folder)).close();
    expect(existsSync(join(folder, '.perigee', 'lock'))).toBe(false);
  });

  test('of a process whose number belongs to another one now, or of a machine that was started again, is taken over', async () => {
    const folder = await emptyFolder();
    const lock = join(folder, '.perigee', 'lock');
    const backend = await openFolder(folder);
    const own = JSON.parse(readFileSync(lock, 'utf8')) as Record<string, unknown>;
    await backend.close();
    expect(own).toMatchObject({ pid: process.pid, host: expect.any(String) as string });
    const texts = [
      ...(own['started'] === undefined ? [] : [{ ...own, started: '1' }]),
      ...(own['boot'] === undefined ? [] : [{ ...own, boot: 'another' }]),
      { ...own, pid: 2 ** 22 + 1 },
    ];
    for (const text of texts) {
      writeFileSync(lock, JSON.stringify(text));
      await (await openFolder(folder)).close();
    }
    for (const text of [JSON.stringify({ ...own, host: 'another-machine' }), 'not a lock', '']) {
      writeFileSync(lock, text);
      await expect(openFileBackend({ folder })).rejects.toMatchObject({ code: 'STORE_BUSY' });
      expect(readFileSync(lock, 'utf8')).toBe(text);
    }
  });

  test('of a killed process is taken over by exactly one of several processes that try at once', async () => {
    const folder = await emptyFolder();
    writeFileSync(join(folder, '.perigee', 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'x' }));
    const writers = Array.from({ length: 3 }, () => startWriter(folder, '1', '1000', 'hold'));
    const refused: number[] = [];
    writers.forEach(({ ended }, index) => void ended.then(() => refused.push(index)));
    await until(() => writers.filter(({ acknowledged }) => acknowledged() === 1).length + refused.length === 3);
    expect(refused).toHaveLength(2);
  });
});
