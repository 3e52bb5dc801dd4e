import { isPerigeeError } from '../../core/errors.ts';
import type { WriteHandle } from '../../sync/writes/write-handle.ts';
import type { Change } from '../events/writes.ts';
import type { SimulatedDevice } from '../simulated-device.ts';
import type { World } from '../world.ts';

/** What a write may end with whose document the remote refuses, or whose engine ends or crashes. */
const ENDS: ReadonlySet<string> = new Set(['TOO_LARGE', 'FAILED_DEPENDENCY', 'CLOSED', 'STORE_IO', 'TIMEOUT']);

/** A user waits for so long; each look at the file takes turns of the simulation. */
const WAITS_MS = 20_000;

/** A user asks whether a write has reached the remote: it must be there when the answer is yes, and in the journal when it was lost. */
export function followReceipt(world: World, device: SimulatedDevice, handle: WriteHandle, changes: readonly Change[]): void {
  world.note(`  ${device.name} waits until the remote has it`);
  const position = world.edits.all.at(-1)?.position ?? 0;
  const isVoid = world.edits.all.at(-1)?.isVoid === true;
  handle.reached('remote', { timeoutMs: WAITS_MS }).then(
    () => {
      world.receipts += 1;
      changes
        .filter(({ text }) => !(isVoid && text === undefined))
        .filter((change) => !hasArrived(world, device, change, position))
        .forEach(({ key, text }) => world.violate(`${device.name} was told that ${key} = ${text ?? 'deleted'} has reached the remote`));
    },
    (error: unknown) => void checkRefusal(world, device, error, changes),
  );
}

/** Whether a write is at the remote, or one that took its place on the device. */
function hasArrived(world: World, device: SimulatedDevice, { key, text }: Change, position: number): boolean {
  const versions = world.history.of(key);
  if (
    world.merges ||
    (text === undefined ? versions.length === 0 || versions.some((one) => one.text === undefined) : world.history.has(key, text))
  ) {
    return true;
  }
  return world.edits.all
    .filter((edit) => edit.device === device.name && edit.key === key && edit.position >= position && edit.text !== text)
    .some((edit) => edit.isVoid || edit.text === undefined || world.history.has(key, edit.text));
}

async function checkRefusal(world: World, device: SimulatedDevice, error: unknown, changes: readonly Change[]): Promise<void> {
  if (device.disk.isDown || (isPerigeeError(error) && ENDS.has(error.code))) {
    return;
  }
  if (!isPerigeeError(error, 'SYNC_LOST')) {
    world.violate(`${device.name} could not learn whether a write has reached the remote: ${String(error)}`);
    return;
  }
  try {
    const lost = await device.journal(10_000);
    const keys = new Set(changes.map(({ key }) => key));
    if (!lost.some(({ partitionKey, id, losingSide }) => losingSide === 'local' && keys.has(`${String(partitionKey[0])}/${id}`))) {
      world.violate(`${device.name} was told that a write was lost, and its journal does not have it`);
    }
  } catch (failure) {
    if (!device.disk.isDown) {
      throw failure;
    }
  }
}
