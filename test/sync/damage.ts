import { all, get, run, type Program } from '../../src/stores/sqlite/driver.ts';
import type { SqliteBackend } from '../../src/stores/sqlite/index.ts';

/** Damage done to a device's file behind the engine's back. */
export interface Damage {
  readonly kind: 'deleted' | 'changed' | 'extra' | 'base-lost' | 'base-and-body' | 'all-lost';
  readonly id: string;
}

function* tableOf(container: string): Program<string> {
  const row = yield* get<{ number: number }>('SELECT number FROM containers WHERE id = ?', container);
  return `c${row?.number}`;
}

function* damaged({ kind, id }: Damage, body: object): Program<void> {
  const table = yield* tableOf('notes');
  const text = JSON.stringify(body);
  if (kind === 'deleted' || kind === 'all-lost') {
    yield* run(`DELETE FROM ${table} WHERE id = ?`, id);
  }
  if (kind === 'changed' || kind === 'base-and-body') {
    yield* run(`UPDATE ${table} SET body = jsonb(?) WHERE id = ?`, text, id);
  }
  if (kind === 'base-lost' || kind === 'base-and-body' || kind === 'all-lost') {
    yield* run('DELETE FROM sync_base WHERE id = ?', id);
  }
  if (kind === 'extra') {
    const [{ next }] = (yield* all<{ next: number }>(
      `SELECT max(ordinal, position) + 1000 AS next FROM ${table} ORDER BY next DESC LIMIT 1`,
    )) as [{ next: number }];
    const [{ pk }] = (yield* all<{ pk: string }>('SELECT pk FROM sync_scope LIMIT 1')) as [{ pk: string }];
    yield* run(
      `INSERT INTO ${table} (ordinal, pk, id, position, epk, ts, body) VALUES (?, ?, ?, ?, '', 1, jsonb(?))`,
      next,
      pk,
      id,
      next,
      text,
    );
  }
}

/** Does damage; `body` is what a changed or extra document then holds. */
export async function damage(backend: SqliteBackend, one: Damage, body: object): Promise<void> {
  await backend.database.write(() => damaged(one, body));
}
