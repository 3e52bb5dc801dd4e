import type { JsonObject } from '../core/json.ts';
import type { Change, ChangeFeed, ChangePage, ChangesFrom } from './changes.ts';
import type { QueryPage, QueryResult } from './queries.ts';

/** {@link QueryResult} over a function that reads one page. */
export class PagedQuery<R> implements QueryResult<R> {
  readonly #read: (continuation: string | undefined) => Promise<QueryPage<R>>;
  #continuation: string | undefined;
  #done = false;

  constructor(continuation: string | undefined, read: (continuation: string | undefined) => Promise<QueryPage<R>>) {
    this.#continuation = continuation;
    this.#read = read;
  }

  async nextPage(): Promise<QueryPage<R> | undefined> {
    if (this.#done) {
      return undefined;
    }
    const page = await this.#read(this.#continuation);
    this.#continuation = page.continuation;
    this.#done = page.continuation === undefined;
    return page;
  }

  async *pages(): AsyncGenerator<QueryPage<R>> {
    for (let page = await this.nextPage(); page !== undefined; page = await this.nextPage()) {
      yield page;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R> {
    for await (const page of this.pages()) {
      yield* page.items;
    }
  }

  async toArray(): Promise<R[]> {
    const items: R[] = [];
    for await (const page of this.pages()) {
      for (const item of page.items) {
        items.push(item);
      }
    }
    return items;
  }
}

/** {@link ChangeFeed} over a function that reads one page; its iteration ends when it has caught up. */
export class PagedChanges<T extends object = JsonObject> implements ChangeFeed<T> {
  readonly #read: (from: ChangesFrom) => Promise<ChangePage<T>>;
  #from: ChangesFrom;

  constructor(from: ChangesFrom, read: (from: ChangesFrom) => Promise<ChangePage<T>>) {
    this.#from = from;
    this.#read = read;
  }

  async nextPage(): Promise<ChangePage<T>> {
    const page = await this.#read(this.#from);
    this.#from = { cursor: page.cursor };
    return page;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change<T>> {
    for (;;) {
      const page = await this.nextPage();
      yield* page.changes;
      if (page.caughtUp) {
        return;
      }
    }
  }
}
