import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/stores/postgres/embedded/start-embedded-postgres.ts';
import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import type { Counted } from './two-backends.ts';

/** A server writes positions into its log for so many at a time. */
const LOGGED_AT_ONCE = 33;

test(
  'a change feed does not pass positions that a crash takes back: what is written after it is delivered',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perigee-positions-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // As root the server runs as another user, who has to get in.
    chmodSync(folder, 0o711);
    // The log of transactions that are undone is written so late that the crash comes first.
    const settings = { wal_writer_delay: '10s', checkpoint_timeout: '1h', autovacuum: 'off' };
    const start = async (): ReturnType<typeof startEmbeddedPostgres> => {
      const started = await startEmbeddedPostgres({ folder: join(folder, 'server'), settings });
      onTestFinished(() => started.stop({ mode: 'immediate' }));
      return started;
    };
    const before = await start();
    const backend = await openPostgresBackend({ connectionString: before.connectionString, sweepIntervalMs: 0, signals: false });
    onTestFinished(() => backend.close());
    await backend.createDatabase('d');
    await backend.createContainer('d', { id: 'c', partitionKey: '/pk' });
    const store = await backend.container<Counted>('d', 'c');
    await store.create({ id: 'x', pk: 'p', n: 0 });
    const undone = store.transact('p', async (inside) => {
      for (let n = 1; n <= 2 * LOGGED_AT_ONCE; n += 1) {
        await inside.upsert({ id: 'x', pk: 'p', n });
      }
      throw new RangeError('not to be');
    });
    await expect(undone).rejects.toThrow('not to be');
    const { cursor, changes } = await store.changes().nextPage();
    expect(changes.map(({ document }) => document.n)).toEqual([0]);
    await before.kill();

    const after = await start();
    const again = await openPostgresBackend({ connectionString: after.connectionString, sweepIntervalMs: 0, signals: false });
    onTestFinished(() => again.close());
    const client = new pg.Client({ connectionString: after.connectionString });
    await client.connect();
    onTestFinished(() => client.end());
    const { rows } = await client.query<{ head: string }>("SELECT pg_sequence_last_value('perigee_1.c1_positions') AS head");
    // The crash has taken positions back, or this test says nothing.
    expect(Number(rows[0]?.head)).toBeLessThan(2 * LOGGED_AT_ONCE);
    const reopened = await again.container<Counted>('d', 'c');
    for (let n = 1; n <= 2 * LOGGED_AT_ONCE; n += 1) {
      await reopened.create({ id: `after ${n}`, pk: 'p', n });
    }
    const seen: number[] = [];
    for await (const { document } of reopened.changes({ from: { cursor } })) {
      seen.push(document.n);
    }
    expect(seen).toEqual(Array.from({ length: 2 * LOGGED_AT_ONCE }, (_, index) => index + 1));
  },
);
