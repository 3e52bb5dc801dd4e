import { ChangeFeedMode, ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import type { StoredVersion } from './killed-partition.ts';

/** Reads the feed of all versions and deletes of a container, each time from where it was left. */
export class VersionReader {
  #from: ChangeFeedStartFrom = ChangeFeedStartFrom.Now();
  #lastPosition = 0;

  /** All versions since the last call, by partition key, in the order in which they were written. */
  async drain(container: Container): Promise<ReadonlyMap<string, readonly StoredVersion[]>> {
    const byKey = new Map<string, StoredVersion[]>();
    for (;;) {
      const page = await container.items
        .getChangeFeedIterator<StoredVersion[]>({
          changeFeedStartFrom: this.#from,
          changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes,
          maxItemCount: 500,
        })
        .readNext();
      this.#from = ChangeFeedStartFrom.Continuation(page.continuationToken);
      if (page.statusCode === 304) {
        return byKey;
      }
      for (const version of page.result as unknown as readonly StoredVersion[]) {
        const { lsn } = version.metadata;
        if (lsn <= this.#lastPosition) {
          throw new Error(`The feed of all versions went back from position ${this.#lastPosition} to ${lsn}.`);
        }
        this.#lastPosition = lsn;
        const { pk } = version.current ?? (version.previous as NonNullable<StoredVersion['previous']>);
        byKey.set(pk, [...(byKey.get(pk) ?? []), version]);
      }
    }
  }
}
