import type { SnapshotRecord } from '../../store/snapshot/snapshot-record.ts';
import type { HistoryEntry } from '../oracle/remote-history.ts';
import { RESTORED } from '../remote-behaviour.ts';
import { CONTAINER, type SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** What the remote holds, by `owner/id`. */
function living({ history }: World): ReadonlyMap<string, HistoryEntry> {
  const entries = history.keys().map((key) => [key, history.last(key) as HistoryEntry] as const);
  return new Map(entries.filter(([, { text }]) => text !== undefined));
}

/** How long the remote is down while it is restored. */
const DOWN_MS = 1000;

/** A backup of the remote is taken. */
export async function backUp(world: World): Promise<void> {
  world.note('the remote is backed up');
  const records: SnapshotRecord[] = [];
  for await (const record of world.backend.snapshot()) {
    records.push(record);
  }
  world.backup = { records, contents: living(world), versions: world.history.count };
}

/** Whether the remote is to be restored now, in a world that has a backup of it. */
export function mayRestore({ backup, history, rules, frail }: World): boolean {
  return frail && backup !== undefined && (!rules.restoresOnlyNews || history.count > backup.versions);
}

/** The remote is restored from its backup, or its container is made again and is empty. */
export async function restoreBackup(world: World): Promise<void> {
  const { backend, backup, chance, history, network } = world;
  if (backup === undefined) {
    return;
  }
  network.breakAll();
  await noteHeld(world);
  const isRestored = chance.happens(75);
  world.note(isRestored ? 'the remote is restored' : 'the container of the remote is made again');
  if (isRestored) {
    await backend.restore(backup.records, { replace: true });
  } else {
    await backend.deleteContainer('app', CONTAINER.id);
    await backend.createContainer('app', world.container);
  }
  world.remote = await backend.container('app', CONTAINER.id);
  for (const key of history.keys()) {
    const kept = isRestored ? backup.contents.get(key) : undefined;
    const text = kept?.text;
    for (const version of history.of(key)) {
      if (version.text !== undefined) {
        world.restored.add(version.text);
      }
    }
    if (history.last(key)?.text === text) {
      world.forgotten.delete(key);
    } else {
      history.add(key, { text, by: RESTORED, expiresAtMs: kept?.expiresAtMs });
    }
  }
  world.devices.forEach(({ name }) => world.misled.add(name));
  world.expire();
  await world.runtime.advance(DOWN_MS);
}

/** Takes note of what devices hold of their own that the remote has: should the remote forget it, it must come again. Without a marker nobody tells that from a deletion. */
async function noteHeld({ devices, forgotten, history }: World): Promise<void> {
  forgotten.clear();
  for (const device of devices.filter(({ isUp }) => isUp)) {
    const { contents, marked } = await lookUnlessDown(device);
    for (const [key, text] of contents) {
      const last = history.last(key);
      if (last?.by === device.name && last.text === text && marked.has(key.slice(0, key.lastIndexOf('/')))) {
        forgotten.set(key, { text, device: device.name });
      }
    }
  }
}

/** What a device holds, and of which partition keys it knows markers. A run of the device may crash it meanwhile. */
async function lookUnlessDown(device: SimulatedDevice): Promise<{ contents: ReadonlyMap<string, string>; marked: ReadonlySet<string> }> {
  try {
    return { contents: await device.contents(), marked: (await device.knowledge()).marked };
  } catch (error) {
    if (!device.disk.isDown) {
      throw error;
    }
    return { contents: new Map(), marked: new Set() };
  }
}
