import { isPerigeeError } from '../../core/errors.ts';
import { followReceipt } from '../oracle/check-receipt.ts';
import type { LocalEdit } from '../oracle/local-edits.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';
import { batch, draft, patch, remove, transact, upsert, type Done, type Writer } from './writes.ts';

/** Refusals that an edit may meet. */
const REFUSALS: ReadonlySet<string> = new Set(['NOT_FOUND', 'CONFLICT', 'STORE_FULL']);

/** The device's first process. */
function firstOn(world: World, device: SimulatedDevice): Writer {
  return { world, device, notes: device.notes, name: device.name };
}

/** The process that writes: mostly the device's first. */
function writerOn(world: World, device: SimulatedDevice): Writer {
  const { second } = device;
  return second?.isUp === true && world.chance.happens(45)
    ? { world, device, notes: second.notes, name: second.name }
    : firstOn(world, device);
}

/** An edit by the user of a device. */
export async function editLocally(world: World, device: SimulatedDevice): Promise<void> {
  const { chance } = world;
  const writer = writerOn(world, device);
  const owner = chance.pick(device.owners);
  const id = chance.pick(world.rules.ids);
  const [upserts, patches, removals, batches, transactions] = world.rules.edits;
  const edit = chance.weighted([
    [upserts, () => upsert(writer, owner, id)],
    [patches, () => (world.rules.isMissingMade ? patchOrMake(writer, owner, id) : patch(writer, owner, id))],
    [removals, () => remove(writer, owner, id)],
    [batches, () => batch(writer, owner)],
    [transactions, () => transact(writer, owner)],
    [world.has('local-fields') ? 25 : 0, () => draft(writer, owner, id)],
  ]);
  await perform(writer, edit);
}

/** A patch of what is there, or else the document. */
async function patchOrMake(writer: Writer, owner: string, id: string): Promise<Done> {
  const contents = await writer.device.contents();
  return contents.has(`${owner}/${id}`) ? patch(writer, owner, id) : upsert(writer, owner, id);
}

/** The user of a device writes some documents in one transaction. */
export async function transactLocally(world: World, device: SimulatedDevice): Promise<void> {
  const writer = writerOn(world, device);
  const owner = world.chance.pick(device.owners);
  await perform(writer, () => transact(writer, owner));
}

/** The user makes each document that the world has. */
export async function makeAll(world: World, device: SimulatedDevice): Promise<void> {
  const writer = firstOn(world, device);
  for (const owner of device.owners) {
    for (const id of new Set(world.rules.ids)) {
      await perform(writer, () => upsert(writer, owner, id));
    }
  }
}

/** The user writes again what a loss of power has taken. */
export async function repeatEdits(world: World, device: SimulatedDevice, gone: readonly LocalEdit[]): Promise<void> {
  const writer = firstOn(world, device);
  for (const { key, text } of gone) {
    const [owner, id] = key.split('/') as [string, string];
    await perform(writer, () => (text === undefined ? remove(writer, owner, id) : upsert(writer, owner, id)));
  }
}

async function perform(writer: Writer, edit: () => Promise<Done>): Promise<void> {
  const { world, device } = writer;
  let before: Before;
  let done: Done;
  try {
    // A run of the device may crash it meanwhile.
    before = await lookBefore(device);
    done = await edit();
  } catch (error) {
    const code = isPerigeeError(error) ? error.code : String(error);
    const isDown = device.disk.isDown || isKilled(writer);
    world.note(`  refused: ${isDown ? 'down' : code}`);
    if (isDown) {
      // It may have come to the file all the same.
      world.drafts.forget(device.name);
    } else if (!REFUSALS.has(code) && !(world.has('versions') && code === 'SCHEMA_TOO_NEW')) {
      world.violate(`${writer.name} could not edit: ${code}`);
    }
    return;
  }
  acknowledged(world, device, before, done);
  if (world.has('receipts') && done.handle !== undefined && world.chance.happens(60)) {
    followReceipt(world, device, done.handle, done.changes);
  }
}

function isKilled({ device, name }: Writer): boolean {
  return name !== device.name && device.second?.isUp !== true;
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
  for (const { key, text, draft: kept } of changes) {
    world.forgotten.delete(key);
    const versions = world.history.of(key);
    if (kept !== undefined) {
      world.drafts.set(device.name, key, { value: kept.value, versions: versions.length });
    }
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
  world.drafts.forget(device.name, key);
  try {
    await device.engine.restore(entry.seq);
  } catch (error) {
    const isRefused = isPerigeeError(error, 'STORE_FULL') || (world.has('versions') && isPerigeeError(error, 'SCHEMA_TOO_NEW'));
    if (!device.disk.isDown && !isRefused) {
      world.violate(`${device.name} could not restore: ${String(error)}`);
    }
    return;
  }
  const position = device.disk.isDown ? Number.POSITIVE_INFINITY : await device.position();
  acknowledged(world, device, NOTHING, { session: String(position), changes: [{ key, text }] });
}
