import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Program } from '../../stores/sqlite/driver.ts';
import type { BaseRow } from '../state/base-versions.ts';
import type { PendingVersion } from '../decide/conflict.ts';
import type { DocumentForm } from '../form/document-form.ts';
import { isMark, markOf } from '../remote/lineage.ts';
import { isSameWrite, listBased, markSent, readPending, rowStamp, sentBodies, sentNames, writeName, type OutboxRow } from './outbox.ts';
import { keyIn, type Scope } from '../state/scope.ts';

/** Pending documents marked in one transaction. */
const MARKED_AT_ONCE = 500;

/** The document of a pending write as the device has it, be it expired there; `undefined` for a deletion, and where it is gone from the file all the same. */
export function* readPendingBody(
  scope: Scope,
  { id, kind, frozen }: Pick<OutboxRow, 'id' | 'kind' | 'frozen'>,
): Program<JsonObject | undefined> {
  if (frozen !== null) {
    const kept = JSON.parse(frozen) as JsonObject | null;
    return kept === null ? undefined : scope.form.received(kept);
  }
  const stored = kind === 'delete' ? undefined : yield* scope.store.readProgram(keyIn(scope, id), { expired: true });
  return stored === undefined ? undefined : (JSON.parse(stored.text) as JsonObject);
}

/**
 * The pending write of a row with its body, be it expired on the device. One whose document is gone from the file all the same counts as deleted;
 * `undefined` where the remote never heard of it, so that nothing is left to send.
 */
export function* readPendingVersion(scope: Scope, row: OutboxRow, base: BaseRow | undefined): Program<PendingVersion | undefined> {
  const whole = yield* readPendingBody(scope, row);
  const body = whole === undefined ? undefined : scope.form.shared(whole);
  if (body === undefined && row.kind !== 'delete' && base === undefined && row.sent === null) {
    return undefined;
  }
  return {
    deleted: body === undefined,
    body,
    ...(whole === body ? {} : { whole }),
    stamp: rowStamp(row),
    write: writeName(row, scope.life),
    sent: sentNames(row),
    baseEtag: base?.etag,
    anew: base?.deleted === 1 || row.kind === 'create',
    ...(scope.needsBase ? { base: baseBody(scope, row), sentBodies: inFormAll(scope, sentBodies(row)) } : {}),
  };
}

/** Content of the version that a row follows; see {@link PendingVersion.base}. */
function baseBody({ form }: Scope, { base }: OutboxRow): JsonObject | null | undefined {
  const body = base === null ? undefined : (JSON.parse(base) as JsonObject | null);
  return isJsonObject(body) ? inKnownForm(form, body) : body;
}

/** What was written down may be of another version of the program; `undefined` where it cannot be brought to this one's. */
function inKnownForm(form: DocumentForm, body: JsonObject): JsonObject | undefined {
  const received = form.received(body);
  return form.knows(received) ? received : undefined;
}

function inFormAll({ form }: Scope, bodies: ReadonlyMap<string, JsonObject | null>): ReadonlyMap<string, JsonObject | null | undefined> {
  return new Map([...bodies].map(([name, body]) => [name, body === null ? null : inKnownForm(form, body)]));
}

/**
 * Marks what is pending when the engine opens, where a policy asks for the base: a loss of power takes back the note of a sending, and the remote may
 * hold the write, with others on top. What it was is needed then, so that it does not count twice.
 *
 * Marks some documents behind `after`, and gives the last of them; `undefined` at the end. `before` is the life that was the newest when the engine opened.
 */
export function* markPending(scope: Scope, after: string, before: string): Program<string | undefined> {
  const ids = yield* listBased(scope.number, after, MARKED_AT_ONCE);
  for (const id of ids) {
    const row = (yield* readPending(scope.number, id)) as OutboxRow;
    const name = writeName(row, markOf(before));
    const newest = sentNames(row).at(-1) ?? '';
    // One of an earlier life says more.
    if (!isMark(newest) || !isSameWrite(newest, name)) {
      const body = yield* readPendingBody(scope, row);
      yield* markSent(scope.number, row, name, body === undefined ? null : scope.form.shared(body));
    }
  }
  return ids.at(-1);
}
