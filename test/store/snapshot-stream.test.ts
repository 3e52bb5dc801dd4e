import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { isPerigeeError } from '../../src/core/errors.ts';
import { readSnapshot, writeSnapshot } from '../../src/store/snapshot/snapshot-stream.ts';
import type { SnapshotRecord } from '../../src/store/snapshot/snapshot-record.ts';
import { openMemoryBackend } from '../../src/stores/memory/memory-backend.ts';
import { SimulatedRuntime } from '../../src/testing/simulated-runtime.ts';

const SEED = 20_261_128;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
}

async function bytesOf(records: AsyncIterable<SnapshotRecord>, gzip: boolean): Promise<Uint8Array> {
  return Buffer.concat(await toArray(writeSnapshot(records, { gzip })));
}

/** Restores bytes into a fresh backend; gives the fault where they are refused. */
async function faultOf(bytes: Uint8Array, size = 1000): Promise<unknown> {
  const backend = openMemoryBackend({ runtime: new SimulatedRuntime() });
  try {
    await backend.restore(readSnapshot(pieces(bytes, size)));
    return undefined;
  } catch (error) {
    if (!isPerigeeError(error, 'INVALID_SNAPSHOT')) {
      throw error;
    }
    expect(error.message).not.toContain('secret');
    expect(await backend.listDatabases()).toEqual([]);
    return error.details['fault'];
  } finally {
    await backend.close();
  }
}

describe('snapshots as bytes', () => {
  let records: SnapshotRecord[] = [];
  let plain: Uint8Array = new Uint8Array();
  let compressed: Uint8Array = new Uint8Array();

  beforeAll(async () => {
    const backend = openMemoryBackend({ runtime: new SimulatedRuntime() });
    await backend.createDatabase('db');
    await backend.createContainer('db', { id: 'items', partitionKey: '/pk', changeFeedPolicy: { retentionDuration: 5 } });
    const store = await backend.container('db', 'items');
    for (let n = 0; n < 6; n += 1) {
      await store.upsert({ id: `${n % 4}`, pk: 'é😀', n, text: `secret\n\u0000"\\${n}` });
    }
    await store.delete('0', 'é😀');
    records = await toArray(backend.snapshot());
    plain = await bytesOf(backend.snapshot(), false);
    compressed = await bytesOf(backend.snapshot(), true);
    await backend.close();
  });

  test('come back whatever the pieces are, compressed or not', async () => {
    expect([compressed[0], compressed[1]]).toEqual([0x1f, 0x8b]);
    for (const bytes of [plain, compressed]) {
      for (const size of [1, 2, 3, 100, 100_000]) {
        expect(await toArray(readSnapshot(pieces(bytes, size)))).toEqual(records);
      }
    }
    const lines = new TextDecoder().decode(plain).split('\n');
    expect(lines.at(-1)).toBe('');
    expect(lines.slice(0, -1).map((line): unknown => JSON.parse(line))).toEqual(records);
  });

  test('cut off anywhere are refused as truncated, or as foreign where nothing is left to know them by', async () => {
    const headEnd = plain.indexOf(10);
    for (let length = 0; length < plain.length; length += 7) {
      expect(await faultOf(plain.subarray(0, length)), `${length} bytes`).toBe(length <= headEnd ? 'foreign' : 'truncated');
    }
    for (let length = 0; length < compressed.length; length += 7) {
      expect(['foreign', 'truncated']).toContain(await faultOf(compressed.subarray(0, length)));
    }
  });

  test('with any byte changed are refused, and nothing of them is told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (gzip, place, change) => {
        const bytes = Uint8Array.from(gzip ? compressed : plain);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] as number) ^ change;
        const fault = await faultOf(bytes);
        // The header of gzip holds a time and a system, which mean nothing.
        expect(fault !== undefined || (gzip && at < 10)).toBe(true);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('that are something else are refused as foreign', async () => {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const foreign = [
      text(''),
      text('\n'),
      text('{}\n'),
      text('[1, 2]\n'),
      text('{"id":"17","customer":"ada"}\n{"id":"18"}\n'),
      text('SQLite format 3\u0000 and so on'),
      text('<html>\n<body>\n'),
      Uint8Array.from([0xff, 0xfe, 10, 10]),
      gzipSync('hello\nworld\n'),
      gzipSync(''),
      Uint8Array.from([0x1f, 0x8b, 0, 0, 0, 0]),
    ];
    for (const [index, bytes] of foreign.entries()) {
      expect(await faultOf(bytes), `number ${index}`).toBe('foreign');
    }
  });

  test('of a newer version are refused before anything else of them is read', async () => {
    const newer = new TextEncoder().encode('{"kind":"perigee-snapshot","version":2,"more":true}\nnot even JSON\n');
    expect(await faultOf(newer)).toBe('newer');
  });

  test('with a line over the limit are refused before it is collected', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield plain.subarray(0, plain.indexOf(10) + 1);
      for (;;) {
        given += 100_000;
        yield new Uint8Array(100_000).fill(32);
      }
    }
    const reading = toArray(readSnapshot(endless(), { maxLineBytes: 1_000_000 }));
    await expect(reading).rejects.toMatchObject({ code: 'INVALID_SNAPSHOT', details: { fault: 'too-long' } });
    expect(given).toBeLessThan(1_300_000);
    const bomb = gzipSync(Buffer.concat([plain.subarray(0, plain.indexOf(10) + 1), Buffer.alloc(50_000_000, 32)]));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await faultOf(bomb)).toBe('too-long');
  });

  test('end with what the source or the records throw, and free the source', async () => {
    const reason = new Error('the disk is gone');
    let freed = 0;
    async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      try {
        yield bytes.subarray(0, 200);
        throw reason;
      } finally {
        freed += 1;
      }
    }
    for (const bytes of [plain, compressed]) {
      await expect(toArray(readSnapshot(failing(bytes)))).rejects.toBe(reason);
    }
    async function* failingRecords(): AsyncGenerator<SnapshotRecord> {
      try {
        yield* records.slice(0, 3);
        throw reason;
      } finally {
        freed += 1;
      }
    }
    for (const gzip of [false, true]) {
      await expect(bytesOf(failingRecords(), gzip)).rejects.toBe(reason);
    }
    async function* counted(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(bytes, 50);
      } finally {
        freed += 1;
      }
    }
    for (const bytes of [plain, compressed]) {
      for await (const record of readSnapshot(counted(bytes))) {
        expect(record.kind).toBe('perigee-snapshot');
        break;
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(freed).toBe(6);
  });
});
