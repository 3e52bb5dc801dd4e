import { ChangeFeedStartFrom, type Container } from '@azure/cosmos';

interface Changed {
  readonly id: string;
  readonly pk: string;
  readonly _etag: string;
  readonly _lsn: number;
}

/** Follows the change feed of a whole container, and remembers the last version of each document that it gave. */
export class FeedFollower {
  readonly #container: Container;
  #from: ChangeFeedStartFrom;
  #lastPosition = 0;
  readonly etags: Map<string, string> = new Map<string, string>();
  changes = 0;

  constructor(container: Container, from: ChangeFeedStartFrom) {
    this.#container = container;
    this.#from = from;
  }

  /** A follower that goes on from here by another client, and knows all that this one does. */
  continuedBy(container: Container): FeedFollower {
    const follower = new FeedFollower(container, this.#from);
    follower.#lastPosition = this.#lastPosition;
    follower.changes = this.changes;
    for (const [key, etag] of this.etags) {
      follower.etags.set(key, etag);
    }
    return follower;
  }

  /** Reads until there is nothing more for now. */
  async drain(): Promise<void> {
    while (await this.next()) {
      // Everything is in the maps.
    }
  }

  /** Reads one page, and tells whether there was one. */
  async next(): Promise<boolean> {
    const page = await this.#container.items
      .getChangeFeedIterator<Changed[]>({ changeFeedStartFrom: this.#from, maxItemCount: 500 })
      .readNext();
    this.#from = ChangeFeedStartFrom.Continuation(page.continuationToken);
    if (page.statusCode === 304) {
      return false;
    }
    for (const { pk, id, _etag, _lsn } of page.result as unknown as readonly Changed[]) {
      if (_lsn <= this.#lastPosition) {
        throw new Error(`The feed went back from position ${this.#lastPosition} to ${_lsn}.`);
      }
      this.#lastPosition = _lsn;
      this.etags.set(`${pk}|${id}`, _etag);
      this.changes += 1;
    }
    return true;
  }
}
