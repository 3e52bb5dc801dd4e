import type { PatchOperation } from '../../store/operations.ts';
import type { WriteHandle } from '../../sync/writes/write-handle.ts';
import type { SyncedStore } from '../../sync/writes/synced-store.ts';
import { besideText, noteWritten } from '../dimensions/written-documents.ts';
import type { SimulatedDevice, SimulatedDocument } from '../simulated-device.ts';
import type { World } from '../world.ts';
import type { JsonObject } from '../../core/json.ts';

/** Makes documents longer than what is patched in them. */
export const BODY: string = '.'.repeat(400);

/** Documents that one transaction may write. */
const GROUP_IDS = ['x', 'y', 'z'];

/** Who writes on a device: one of its processes. */
export interface Writer {
  readonly world: World;
  readonly device: SimulatedDevice;
  readonly notes: SyncedStore<SimulatedDocument & JsonObject>;
  /** `device-0`, or its second process. */
  readonly name: string;
}

/** What an edit did, once its call has resolved. */
export interface Done {
  readonly session: string | undefined;
  readonly changes: readonly Change[];
  /** Whether they are to be at the remote all at once. */
  readonly isGroup?: boolean;
  /** Tells when the remote has it. */
  readonly handle?: WriteHandle | undefined;
}

export interface Change {
  readonly key: string;
  readonly text: string | undefined;
  /** What the device has of its own in the document; absent where that is as it was. */
  readonly draft?: { readonly value: string | undefined };
}

type Written = SimulatedDocument & JsonObject;

/** The document with a new text, as this device writes it. */
function documentOf({ world, device }: Writer, owner: string, id: string, text: string): Written {
  return { id, owner, text, body: BODY, ...writeNote(world, text), ...besideText(world, device, text) };
}

/** The note beside a new text: one, or none. */
function writeNote(world: World, text: string): { readonly note?: string } {
  const note = world.chance.happens(50) ? `beside ${text}` : null;
  world.notes.set(text, note);
  return note === null ? {} : { note };
}

export async function upsert(writer: Writer, owner: string, id: string): Promise<Done> {
  const { world, notes, name, device } = writer;
  const text = world.nextText(device.name);
  world.note(`${name} upserts ${owner}/${id} = ${text}`);
  const document = documentOf(writer, owner, id, text);
  const handle = await notes.upsert(document);
  return { session: handle.session, handle, changes: [{ key: `${owner}/${id}`, text, draft: { value: document.draft } }] };
}

export async function patch({ world, notes, name, device }: Writer, owner: string, id: string): Promise<Done> {
  const text = world.nextText(device.name);
  const note = world.chance.pick(['leaves', 'sets', 'removes'] as const);
  world.note(`${name} patches ${owner}/${id} = ${text} and ${note} its note`);
  const beside: Record<typeof note, readonly PatchOperation[]> = {
    leaves: [],
    sets: [{ op: 'set', path: '/note', value: `beside ${text}` }],
    removes: [
      { op: 'set', path: '/note', value: '' },
      { op: 'remove', path: '/note' },
    ],
  };
  const handle = await notes.patch(id, owner, [{ op: 'set', path: '/text', value: text }, ...beside[note]]);
  world.notes.set(text, handle.document.note ?? null);
  noteWritten(world, text, handle.document);
  return { session: handle.session, handle, changes: [{ key: `${owner}/${id}`, text }] };
}

/** Changes what never leaves the device, and nothing else. */
export async function draft({ world, notes, name, device }: Writer, owner: string, id: string): Promise<Done> {
  const value = world.drafts.next(device.name);
  const key = `${owner}/${id}`;
  world.note(`${name} keeps ${value} in ${key}`);
  await notes.patch(id, owner, [{ op: 'set', path: '/draft', value }]);
  world.drafts.set(device.name, key, { value, versions: world.history.of(key).length });
  return { session: undefined, changes: [] };
}

export async function remove({ world, notes, name }: Writer, owner: string, id: string): Promise<Done> {
  world.note(`${name} deletes ${owner}/${id}`);
  const handle = await notes.delete(id, owner);
  return { session: handle.session, handle, changes: [{ key: `${owner}/${id}`, text: undefined, draft: { value: undefined } }] };
}

export async function batch(writer: Writer, owner: string): Promise<Done> {
  const { world, notes, name, device } = writer;
  const changes = someOf(world).map((id) => ({ id, key: `${owner}/${id}`, text: world.nextText(device.name) }));
  world.note(`${name} writes at once ${changes.map(({ key, text }) => `${key} = ${text}`).join(', ')}`);
  const documents = changes.map(({ id, text }) => documentOf(writer, owner, id, text));
  const handle = await notes.batch(
    owner,
    documents.map((document) => ({ type: 'upsert', document })),
  );
  const drafted = changes.map((change, index) => ({ ...change, draft: { value: documents[index]?.draft } }));
  return { session: handle.session, handle, changes: handle.committed ? drafted : [], isGroup: true };
}

/** Several documents, in any order. */
function someOf({ chance }: World): readonly string[] {
  const left = [...GROUP_IDS];
  const ids = [];
  for (let count = 1 + chance.below(GROUP_IDS.length); count > 0; count -= 1) {
    ids.push(...left.splice(chance.below(left.length), 1));
  }
  return ids;
}

/** A transaction that reads what is there, and replaces, patches, deletes or adds; now and then it is given up. */
export async function transact(writer: Writer, owner: string): Promise<Done> {
  const { world, notes, name, device } = writer;
  const { chance } = world;
  const ids = someOf(world);
  const plans = ids.map((id) => ({
    id,
    key: `${owner}/${id}`,
    text: world.nextText(device.name),
    how: chance.pick(['upsert', 'patch', 'delete'] as const),
  }));
  const isGivenUp = chance.happens(10);
  world.note(
    `${name} ${isGivenUp ? 'begins' : 'makes'} a transaction: ${plans.map(({ key, text, how }) => `${how} ${key} = ${text}`).join(', ')}`,
  );
  const documents = plans.map(({ id, text }) => documentOf(writer, owner, id, text));
  try {
    const changes = await notes.transact(owner, async (transaction) => {
      const done: Change[] = [];
      for (const [index, { id, key, text, how }] of plans.entries()) {
        const current = await transaction.read(id);
        if (current === undefined || how === 'upsert') {
          const document = documents[index] as Written;
          await transaction.upsert(document);
          done.push({ key, text, draft: { value: document.draft } });
        } else if (how === 'patch') {
          await transaction.patch(id, [{ op: 'set', path: '/text', value: text }]);
          world.notes.set(text, current.document.note ?? null);
          noteWritten(world, text, current.document);
          done.push({ key, text });
        } else {
          await transaction.delete(id);
          done.push({ key, text: undefined, draft: { value: undefined } });
        }
      }
      if (isGivenUp) {
        throw new GivenUp();
      }
      return done;
    });
    return { session: String(await device.position()), changes, isGroup: true };
  } catch (error) {
    if (error instanceof GivenUp) {
      return { session: undefined, changes: [] };
    }
    throw error;
  }
}

/** Ends a transaction. */
class GivenUp extends Error {}
