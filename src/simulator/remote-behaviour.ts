import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ChangePage, ChangesFrom } from '../store/changes.ts';
import type { BatchOperation, OperationOutcome } from '../store/operations.ts';
import { isMarker } from '../sync/pull/markers.ts';
import { RESERVED_PROPERTY } from '../sync/remote/wire-stamp.ts';
import { simulatedError } from './network/simulated-network.ts';
import { checkSentWhole } from './oracle/check-groups.ts';
import { expiryOf } from './dimensions/written-documents.ts';
import { checkNothingLocal } from './oracle/check-local.ts';
import { checkShape } from './oracle/check-shape.ts';
import { TIME } from './oracle/remote-history.ts';
import { checkNote } from './oracle/written-notes.ts';
import type { RemoteBehaviour } from './network/networked-store.ts';
import type { World } from './world.ts';

/** Who brought a version back by a backup. */
export const RESTORED = 'backup';

/** Who writes to the remote without an engine. */
export const STRANGER = 'stranger';

/** The text in an operation; `undefined` for a tombstone. */
function textOf(operation: BatchOperation<JsonObject>): string | undefined {
  if (operation.type === 'patch') {
    const set = operation.operations.find(({ op, path }) => op === 'set' && path === '/text');
    return set?.op === 'set' ? (set.value as string | undefined) : undefined;
  }
  return 'document' in operation ? (operation.document['text'] as string | undefined) : undefined;
}

/** The document that an operation leaves; `undefined` where none is known. */
function documentAfter(
  operation: BatchOperation<JsonObject>,
  outcome: OperationOutcome<JsonObject> | undefined,
): (JsonObject & { readonly id: string }) | undefined {
  const patched = operation.type === 'patch' && outcome?.ok === true ? outcome.document : undefined;
  return 'document' in operation ? operation.document : patched;
}

/** The text of a document at the remote; `undefined` for a tombstone. */
function textIn(document: JsonObject): string | undefined {
  const stamp = document[RESERVED_PROPERTY];
  return isJsonObject(stamp) && stamp['deleted'] === true ? undefined : (document['text'] as string);
}

function keyOf(document: JsonObject & { readonly id: string }): string {
  return `${document['owner'] as string}/${document.id}`;
}

/** Texts that a request writes, by `owner/id`. */
function textsIn(
  operations: readonly BatchOperation<JsonObject>[],
  outcomes: readonly OperationOutcome<JsonObject>[],
): ReadonlyMap<string, string | undefined> {
  const documents = operations.map((operation, index) => documentAfter(operation, outcomes[index]));
  return new Map(
    documents.flatMap((document) => (document === undefined || isMarker(document.id) ? [] : [[keyOf(document), textIn(document)]])),
  );
}

/** What the remote does to the requests of a device, with the history that it leaves. */
export function remoteBehaviour(world: World, device: string): RemoteBehaviour {
  const record = async (operation: BatchOperation<JsonObject>, outcome: OperationOutcome<JsonObject> | undefined): Promise<void> => {
    const document = documentAfter(operation, outcome);
    if (document === undefined) {
      world.violate(`${device} sent an operation without a document: ${operation.type}`);
      return;
    }
    if (isMarker(document.id)) {
      return;
    }
    const key = keyOf(document);
    const before = world.history.last(key);
    if (before?.text !== undefined && before.by !== device && before.by !== RESTORED && !world.heldBy(device).has(before.text)) {
      world.violate(`${device} overwrote ${key} = ${before.text}, which it neither held nor kept`);
    }
    if (before?.text !== undefined && before.by !== device && (await hasDecided(world, device, key, before.text))) {
      world.overwritten.push({ device, key, text: before.text });
    }
    const text = textIn(document);
    checkMadeAgain(world, device, operation.type, key, text);
    await checkRepeated(world, device, key, text);
    checkNote(world, device, key, text, document);
    checkNothingLocal(world, device, key, document);
    if (text !== undefined) {
      checkShape(world, `the remote, by ${device},`, key, document);
    }
    world.note(`  ${key} = ${text ?? 'deleted'}`);
    world.history.add(key, { text, by: device, expiresAtMs: text === undefined ? undefined : expiryOf(world, document) });
  };
  return {
    batch: async (store, partitionKey, operations, options) => {
      world.requests += 1;
      if (operations.some((operation) => world.refuses(textOf(operation)))) {
        // The whole request is refused, and nobody says because of which document.
        throw simulatedError('TOO_LARGE');
      }
      const result = await store.batch(partitionKey, operations, options);
      if (result.committed) {
        checkSentWhole(world, device, textsIn(operations, result.outcomes));
        for (const [index, operation] of operations.entries()) {
          await record(operation, result.outcomes[index]);
        }
      }
      return result;
    },
    changes: async (store, options) => {
      world.requests += 1;
      checkCursor(world, device, options.from);
      if (world.network.isIdeal) {
        return store.changes(options).nextPage();
      }
      const maxItemCount = world.chance.happens(30) ? 1 : options.maxItemCount;
      const page: ChangePage<JsonObject> = await store.changes({ ...options, maxItemCount }).nextPage();
      // A replica that is behind believes that there is nothing more.
      return world.chance.happens(10) ? { ...page, caughtUp: true } : page;
    },
  };
}

/**
 * A version that was replaced must not come back by itself: only where its device decided a conflict for it, and wrote down what lost. A document that
 * somebody deleted without a tombstone may: a request that arrives twice, or a device that a loss of power took back, cannot know.
 */
async function checkRepeated(world: World, device: string, key: string, text: string | undefined): Promise<void> {
  const last = world.history.last(key);
  if (
    text === undefined ||
    last === undefined ||
    last.text === text ||
    (last.text === undefined && (last.by === STRANGER || last.by === TIME)) ||
    world.restored.has(text)
  ) {
    return;
  }
  if (world.history.has(key, text) && !(await hasDecided(world, device, key, last.text))) {
    world.violate(`${key} = ${text} came back at the remote after it was replaced`);
  }
}

/** Whether the journal of a device says that a remote version lost a conflict. */
async function hasDecided(world: World, device: string, key: string, text: string | undefined): Promise<boolean> {
  const one = world.devices.find(({ name }) => name === device);
  const journal = one?.isUp === true ? await one.journal(10_000) : [];
  return journal.some(
    ({ partitionKey, id, losingSide, document }) =>
      `${String(partitionKey[0])}/${id}` === key && losingSide === 'remote' && document?.['text'] === text,
  );
}

/** An edit of a document that was there must not make it again after somebody deleted it: the deletion stays, and the edit goes to the journal. */
function checkMadeAgain(world: World, device: string, type: string, key: string, text: string | undefined): void {
  const edit = world.edits.all.find((one) => one.device === device && one.text !== undefined && one.text === text);
  if (type !== 'create' || edit?.followsLiving !== true || world.restored.has(edit.text ?? '')) {
    return;
  }
  const since = world.history.of(key).slice(edit.versionsBefore);
  if (world.misled.has(device) || world.decided.has(`${device} ${key}`) || since.some(({ by }) => by === RESTORED)) {
    // What the remote forgot is made again; nobody can tell it from what a stranger deleted before the remote was restored.
    return;
  }
  if (since.at(-1)?.by === STRANGER && since.every((entry) => entry.text !== undefined || entry.by === STRANGER)) {
    world.violate(`${device} made ${key} again, which was deleted, for an edit of what was there`);
  }
}

/** A remote may forget a device's cursor, and knows it again only after the device has begun anew. */
function checkCursor(world: World, device: string, from: ChangesFrom | undefined): void {
  if (typeof from !== 'object' || !('cursor' in from)) {
    world.refusedCursors.delete(device);
    return;
  }
  if (!world.network.isIdeal && world.chance.happens(2)) {
    world.note(`  the remote forgets the cursor of ${device}`);
    world.refusedCursors.set(device, from.cursor);
  }
  if (world.refusedCursors.get(device) === from.cursor) {
    throw simulatedError('INVALID_CONTINUATION');
  }
}
