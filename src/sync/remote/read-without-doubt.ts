import type { RemoteSession } from './remote-session.ts';
import type { RemoteVersion } from './wire-stamp.ts';

/** Reads documents; without the session where the remote refuses it, for another remote would for ever. */
export async function readWithoutDoubt(
  remote: RemoteSession,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RemoteVersion | undefined>> {
  try {
    return await remote.read(ids);
  } catch (error) {
    if (await remote.giveUpSession(error)) {
      return remote.read(ids);
    }
    throw error;
  }
}
