import { ChangeFeedMode, ChangeFeedStartFrom } from '@azure/cosmos';
import type { SeenChange, SeenVersion, Version } from './history.ts';
import type { RunState, StoredSoakItem } from './run-state.ts';

interface StoredChange extends StoredSoakItem {
  readonly _lsn: number;
}

interface StoredVersion {
  readonly current: StoredSoakItem | null;
  readonly previous?: StoredSoakItem;
  readonly metadata: {
    readonly operationType: SeenVersion['type'];
    readonly lsn: number;
    readonly previousImageLSN?: number;
    readonly id?: string;
    readonly partitionKey?: { readonly pk: string };
  };
}

const PAGE = 100;
/** Pages after which a feed that nobody writes to any more has to have come to its end. */
const MAX_PAGES = 600;

/** Follows a change feed, one page from the one gateway and the next from the other, with the continuation that the one before gave. */
export class FeedReader {
  readonly name: string;
  readonly container: string;
  readonly pk: string | undefined;
  readonly changes: SeenChange[] = [];
  readonly versions: SeenVersion[] = [];
  readonly #state: RunState;
  readonly #mode: 'latest' | 'all';
  #from: ChangeFeedStartFrom;
  #turn = 0;
  pages = 0;

  constructor(state: RunState, container: string, options: { readonly pk?: string; readonly mode: 'latest' | 'all' }) {
    const { pk, mode } = options;
    this.#state = state;
    this.container = container;
    this.pk = pk;
    this.#mode = mode;
    this.name = `feed of ${container}${pk === undefined ? '' : `/${pk}`}, ${mode}`;
    this.#from = mode === 'all' ? ChangeFeedStartFrom.Now() : ChangeFeedStartFrom.Beginning(pk);
  }

  /** Follows until the run is over. */
  async run(): Promise<void> {
    while (!this.#state.isOver) {
      const more = await this.next();
      await new Promise((resolve) => setTimeout(resolve, more === true ? 5 : 40));
    }
  }

  /** Reads to the end, by all gateways. */
  async drain(): Promise<void> {
    const { gateways } = this.#state.cluster;
    const lately: (boolean | undefined)[] = [];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      lately.push(await this.next());
      if (lately.slice(-gateways.length).every((more) => more === false) && lately.length >= gateways.length) {
        return;
      }
      if (lately.at(-1) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const last = lately.slice(-6).map((more) => (more === undefined ? 'no answer' : more ? 'a page' : 'nothing new'));
    throw new Error(`The ${this.name} has no end: ${last.join(', ')}. Answers: ${JSON.stringify(this.#state.counts)}`);
  }

  /** Reads one page: whether there was something, `undefined` where no answer came. */
  async next(): Promise<boolean | undefined> {
    this.#turn += 1;
    const { gateways } = this.#state.cluster;
    const gateway = gateways[this.#turn % gateways.length];
    const answer = await gateway?.send(this.container, (container) =>
      container.items
        .getChangeFeedIterator<unknown[]>({
          changeFeedStartFrom: this.#from,
          maxItemCount: PAGE,
          ...(this.#mode === 'all' ? { changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes } : {}),
        })
        .readNext(),
    );
    if (answer?.kind !== 'answered') {
      this.#state.count(`feed: ${answer?.kind === 'refused' ? answer.status : 'no answer'}`);
      if (answer?.kind === 'refused' && ![408, 429, 449, 503].includes(answer.status)) {
        this.#state.problems.push(`The ${this.name} was answered ${answer.status}: ${(answer.error as Error).message.slice(0, 400)}`);
      }
      return undefined;
    }
    const { value } = answer;
    this.pages += 1;
    this.#from = ChangeFeedStartFrom.Continuation(value.continuationToken);
    if (value.statusCode === 304) {
      return false;
    }
    for (const item of value.result as unknown as readonly unknown[]) {
      if (this.#mode === 'all') {
        this.versions.push(seenVersion(item as StoredVersion));
      } else {
        const { pk, id, w, n, _etag: etag, _lsn: lsn } = item as StoredChange;
        this.changes.push({ pk, id, w, n, etag, lsn });
      }
    }
    return true;
  }
}

function versionOf({ w, n }: StoredSoakItem): Version {
  return { w, n };
}

function seenVersion({ current, previous, metadata }: StoredVersion): SeenVersion {
  const { operationType, lsn, previousImageLSN, id, partitionKey } = metadata;
  return {
    type: operationType,
    pk: current?.pk ?? partitionKey?.pk ?? '',
    id: current?.id ?? id ?? '',
    lsn,
    current: current === null ? undefined : { ...versionOf(current), etag: current._etag },
    previous: previous === undefined ? undefined : versionOf(previous),
    previousLsn: previousImageLSN,
  };
}
