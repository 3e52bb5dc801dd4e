import { TIME, type RemoteHistory } from './remote-history.ts';

/** What each device has shown of each document: readers must never see an older version after a newer one. */
export class ShownVersions {
  /** Index in the history of the newest version shown, by device and document. */
  readonly #newest = new Map<string, number>();

  /**
   * Takes note of what a device shows, and gives what is wrong with it.
   *
   * @param text `undefined` where the device has no such document
   * @param isOwn whether the device made it what it is
   * @param isMortal whether a document of a text expires
   */
  show(
    history: RemoteHistory,
    device: string,
    key: string,
    text: string | undefined,
    isOwn: boolean,
    isMortal: (text: string) => boolean,
  ): string | undefined {
    const name = `${device} ${key}`;
    const newest = this.#newest.get(name) ?? -1;
    const versions = history.of(key);
    if (text === undefined && newest === -1) {
      // It has never had the document, and may yet meet a version from before a deletion.
      return undefined;
    }
    if (text === undefined && versions.some((one, at) => at >= newest && one.text !== undefined && isMortal(one.text))) {
      // It may have expired by the clock of the device.
      return undefined;
    }
    const index = versions.findLastIndex((entry) => entry.text === text && entry.by !== TIME);
    if (index > newest) {
      this.#newest.set(name, index);
    }
    if (isOwn || index >= newest) {
      return undefined;
    }
    return `${device} shows ${key} = ${text ?? 'nothing'} after a newer version (${index} after ${newest})`;
  }

  /** A loss of power may take a device back. */
  forget(device: string): void {
    for (const name of this.#newest.keys()) {
      if (name.startsWith(`${device} `)) {
        this.#newest.delete(name);
      }
    }
  }
}
