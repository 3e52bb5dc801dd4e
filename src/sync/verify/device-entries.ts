import type { JsonObject } from '../../core/json.ts';
import { all, type Program } from '../../stores/sqlite/driver.ts';
import { readBases } from '../state/base-versions.ts';
import type { SideEntry } from './range-digests.ts';
import { keyIn, type Scope } from '../state/scope.ts';
import { digestOf } from '../remote/wire-stamp.ts';

/** Documents read at once. */
const PAGE = 200;

/** Some documents of the device, as a comparison of both sides needs them. */
export interface DevicePage {
  readonly entries: readonly SideEntry[];
  /** Where the next page begins; `undefined` at the end. */
  readonly last: string | undefined;
}

/** Which of some documents are pending. */
export function* pendingAmong(scope: number, ids: readonly string[]): Program<ReadonlySet<string>> {
  const rows = yield* all<{ id: string }>(
    'SELECT id FROM sync_outbox WHERE scope = ? AND id IN (SELECT value FROM json_each(?))',
    scope,
    JSON.stringify(ids),
  );
  return new Set(rows.map(({ id }) => id));
}

/** Some documents that the device holds and that are not pending, behind an id. */
export function* readDevicePage(scope: Scope, after: string): Program<DevicePage> {
  const ids = yield* scope.store.idsProgram(scope, after, PAGE);
  const pending = yield* pendingAmong(scope.number, ids);
  const bases = yield* readBases(scope.number, ids);
  const entries: SideEntry[] = [];
  for (const id of ids) {
    const stored = pending.has(id) ? undefined : yield* scope.store.readProgram(keyIn(scope, id));
    const body = stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject);
    if (body !== undefined && scope.types?.accepts(body) !== false) {
      const base = bases.get(id);
      entries.push({ id, etag: base?.deleted === 0 ? base.etag : '', digest: digestOf(scope.form.shared(body)) });
    }
  }
  return { entries, last: ids.length < PAGE ? undefined : ids.at(-1) };
}
