import { isPerigeeError } from '../../core/errors.ts';
import type { PatchOperation } from '../../store/operations.ts';
import { STRANGER } from '../remote-behaviour.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** Makes documents longer than what is patched in them. */
const BODY = '.'.repeat(400);

const IDS = ['x', 'x', 'y', 'y', 'z'];
/** Documents that one transaction may write. */
const GROUP_IDS = ['x', 'y', 'z'];

/** Refusals that an edit may meet. */
const REFUSALS: ReadonlySet<string> = new Set(['NOT_FOUND', 'CONFLICT', 'STORE_FULL']);

/** What an edit did, once its call has resolved. */
interface Done {
  readonly session: string | undefined;
  readonly changes: readonly Change[];
  /** Whether they are to be at the remote all at once. */
  readonly isGroup?: boolean;
}

interface Change {
  readonly key: string;
  readonly text: string | undefined;
}

function upsert(world: World, device: SimulatedDevice, owner: string, id: string): Promise<Done> {
  const text = world.nextText(device.name);
  world.note(`${device.name} upserts ${owner}/${id} = ${text}`);
  return device.notes
    .upsert({ id, owner, text, body: BODY, ...writeNote(world, text) })
    .then(({ session }) => ({ session, changes: [{ key: `${owner}/${id}`, text }] }));
}

function patch(world: World, device: SimulatedDevice, owner: string, id: string): Promise<Done> {
  const text = world.nextText(device.name);
  const note = world.chance.pick(['leaves', 'sets', 'removes'] as const);
  world.note(`${device.name} patches ${owner}/${id} = ${text} and ${note} its note`);
  const beside: Record<typeof note, readonly PatchOperation[]> = {
    leaves: [],
    sets: [{ op: 'set', path: '/note', value: `beside ${text}` }],
    removes: [
      { op: 'set', path: '/note', value: '' },
      { op: 'remove', path: '/note' },
    ],
  };
  return device.notes.patch(id, owner, [{ op: 'set', path: '/text', value: text }, ...beside[note]]).then(({ session, document }) => {
    world.notes.set(text, document.note ?? null);
    return { session, changes: [{ key: `${owner}/${id}`, text }] };
  });
}

/** The note beside a new text: one, or none. */
function writeNote(world: World, text: string): { readonly note?: string } {
  const note = world.chance.happens(50) ? `beside ${text}` : null;
  world.notes.set(text, note);
  return note === null ? {} : { note };
}

function remove(world: World, device: SimulatedDevice, owner: string, id: string): Promise<Done> {
  world.note(`${device.name} deletes ${owner}/${id}`);
  return device.notes.delete(id, owner).then(({ session }) => ({ session, changes: [{ key: `${owner}/${id}`, text: undefined }] }));
}

async function batch(world: World, device: SimulatedDevice, owner: string): Promise<Done> {
  const changes = someOf(world).map((id) => ({ id, key: `${owner}/${id}`, text: world.nextText(device.name) }));
  world.note(`${device.name} writes at once ${changes.map(({ key, text }) => `${key} = ${text}`).join(', ')}`);
  const result = await device.notes.batch(
    owner,
    changes.map(({ id, text }) => ({ type: 'upsert', document: { id, owner, text, body: BODY, ...writeNote(world, text) } })),
  );
  return { session: result.session, changes: result.committed ? changes : [], isGroup: true };
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
async function transact(world: World, device: SimulatedDevice, owner: string): Promise<Done> {
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
    `${device.name} ${isGivenUp ? 'begins' : 'makes'} a transaction: ${plans.map(({ key, text, how }) => `${how} ${key} = ${text}`).join(', ')}`,
  );
  const notes = plans.map(({ text }) => writeNote(world, text));
  try {
    const changes = await device.notes.transact(owner, async (transaction) => {
      const done: Change[] = [];
      for (const [index, { id, key, text, how }] of plans.entries()) {
        const current = await transaction.read(id);
        if (current === undefined || how === 'upsert') {
          await transaction.upsert({ id, owner, text, body: BODY, ...notes[index] });
          done.push({ key, text });
        } else if (how === 'patch') {
          await transaction.patch(id, [{ op: 'set', path: '/text', value: text }]);
          world.notes.set(text, current.document.note ?? null);
          done.push({ key, text });
        } else {
          await transaction.delete(id);
          done.push({ key, text: undefined });
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

/** An edit by the user of a device. */
export async function editLocally(world: World, device: SimulatedDevice): Promise<void> {
  const { chance } = world;
  const owner = chance.pick(device.owners);
  const id = chance.pick(IDS);
  const edit = chance.weighted([
    [50, () => upsert(world, device, owner, id)],
    [30, () => patch(world, device, owner, id)],
    [22, () => remove(world, device, owner, id)],
    [8, () => batch(world, device, owner)],
    [12, () => transact(world, device, owner)],
  ]);
  let before: Before;
  let done: Done;
  try {
    // A run of the device may crash it meanwhile.
    before = await lookBefore(device);
    done = await edit();
  } catch (error) {
    const code = isPerigeeError(error) ? error.code : String(error);
    world.note(`  refused: ${device.disk.isDown ? 'down' : code}`);
    if (!device.disk.isDown && !REFUSALS.has(code)) {
      world.violate(`${device.name} could not edit: ${code}`);
    }
    return;
  }
  acknowledged(world, device, before, done);
}

/** What a device knew before an edit. */
interface Before {
  /** Documents that it had and knew to be at the remote, by `owner/id`. */
  readonly living: ReadonlySet<string>;
  /** Documents that it knew of at the remote. */
  readonly known: ReadonlySet<string>;
}

const NOTHING: Before = { living: new Set(), known: new Set() };

async function lookBefore(device: SimulatedDevice): Promise<Before> {
  const [contents, { anew, bases }] = [await device.contents(), await device.knowledge()];
  const living = Array.from(contents.keys()).filter((key) => bases.has(key) && !anew.has(key));
  return { living: new Set(living), known: new Set(bases.keys()) };
}

/** Whether the remote knows a document from this device, by an edit that a loss of power has not undone. */
function hasSent(world: World, device: SimulatedDevice, key: string): boolean {
  const kept = new Set(world.edits.all.filter((edit) => edit.device === device.name).map(({ text }) => text));
  return world.history.of(key).some(({ by, text }) => by === device.name && text !== undefined && kept.has(text));
}

function acknowledged(world: World, device: SimulatedDevice, before: Before, { session, changes, isGroup }: Done): void {
  const sent = new Map<string, string | undefined>();
  for (const { key, text } of changes) {
    world.forgotten.delete(key);
    const versions = world.history.of(key);
    // A deletion of what the remote never heard of leaves nothing to send.
    const isVoid = text === undefined && (versions.at(-1)?.text === undefined || !(before.known.has(key) || hasSent(world, device, key)));
    const followsLiving = text !== undefined && before.living.has(key);
    if (!isVoid) {
      sent.set(key, text);
    }
    world.edits.add({ device: device.name, key, text, position: Number(session), versionsBefore: versions.length, followsLiving, isVoid });
    world.editCount += 1;
  }
  if (isGroup === true && sent.size > 1) {
    world.edits.addGroup({ device: device.name, texts: sent, position: Number(session) });
  }
}

/** Somebody writes to the remote without any engine. */
export async function strangerWrites(world: World): Promise<void> {
  const { chance, remote, history } = world;
  const owner = chance.pick(chance.pick(world.devices).owners);
  const id = chance.pick(IDS);
  const key = `${owner}/${id}`;
  const current = await remote.read(id, owner);
  if (current !== undefined && chance.happens(40)) {
    world.note(`a stranger deletes ${key}`);
    await remote.delete(id, owner);
    history.add(key, { text: undefined, by: STRANGER });
    return;
  }
  const text = world.nextText(STRANGER);
  world.note(`a stranger writes ${key} = ${text}`);
  // Now and then it keeps the stamp of whoever wrote before.
  const kept = chance.happens(30) ? current?.document : undefined;
  world.notes.set(text, (kept?.['note'] as string | undefined) ?? null);
  await remote.upsert({ ...kept, id, owner, text, body: BODY });
  history.add(key, { text, by: STRANGER });
}

/** The user makes a version that lost a conflict current again. */
export async function restoreLoser(world: World, device: SimulatedDevice): Promise<void> {
  const entry = world.chance.pick([...(await device.journal(20)), undefined]);
  const text = entry?.document?.['text'];
  if (entry === undefined || typeof text !== 'string') {
    return;
  }
  const owner = String(entry.partitionKey[0]);
  const key = `${owner}/${entry.id}`;
  world.note(`${device.name} restores ${key} = ${text}`);
  world.restored.add(text);
  try {
    await device.engine.restore(entry.seq);
  } catch (error) {
    if (!device.disk.isDown && !isPerigeeError(error, 'STORE_FULL')) {
      world.violate(`${device.name} could not restore: ${String(error)}`);
    }
    return;
  }
  const position = device.disk.isDown ? Number.POSITIVE_INFINITY : await device.position();
  acknowledged(world, device, NOTHING, { session: String(position), changes: [{ key, text }] });
}
