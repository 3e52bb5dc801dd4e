import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { WriteAheadLog } from '../../src/simulator/disk/write-ahead-log.ts';

/** Rows that SQLite finds with a log as it was cut. */
function rowsWith(path: string, log: Uint8Array, folder: string): readonly unknown[] {
  const copy = join(folder, 'cut.db');
  copyFileSync(path, copy);
  writeFileSync(`${copy}-wal`, log);
  const database = new Database(copy);
  const rows = database.prepare('SELECT value FROM numbers ORDER BY value').pluck().all();
  database.close();
  rmSync(copy);
  return rows;
}

test('a log cut at any frame, or within one, gives SQLite the commits before it and no part of another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-log-'));
  try {
    const path = join(folder, 'numbers.db');
    const database = new Database(path);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE numbers (value INTEGER PRIMARY KEY, text TEXT)');
    database.pragma('wal_checkpoint(TRUNCATE)');
    for (let value = 1; value <= 6; value += 1) {
      database.prepare('INSERT INTO numbers VALUES (?, ?)').run(value, 'x'.repeat(value * 1500));
    }
    const log = new WriteAheadLog(readFileSync(`${path}-wal`));
    expect(log.frames).toBeGreaterThan(6);
    let most = 0;
    for (let frames = 0; frames <= log.frames; frames += 1) {
      for (const torn of [0, 100, 4000]) {
        const rows = rowsWith(path, log.cut(frames, torn), folder);
        expect(rows).toEqual(Array.from({ length: rows.length }, (_, index) => index + 1));
        expect(rows.length).toBeGreaterThanOrEqual(most);
        most = rows.length;
      }
    }
    expect(most).toBe(6);
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('frames of an earlier round do not count', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-log-'));
  try {
    const path = join(folder, 'numbers.db');
    const database = new Database(path);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE numbers (value INTEGER PRIMARY KEY)');
    for (let value = 1; value <= 20; value += 1) {
      database.prepare('INSERT INTO numbers VALUES (?)').run(value);
    }
    const before = new WriteAheadLog(readFileSync(`${path}-wal`));
    database.pragma('wal_checkpoint(RESTART)');
    database.prepare('INSERT INTO numbers VALUES (?)').run(21);
    const behind = new WriteAheadLog(readFileSync(`${path}-wal`));
    expect(behind.round).not.toBe(before.round);
    expect(behind.frames).toBeLessThan(before.frames);
    expect(behind.frames).toBeGreaterThan(0);
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
