import { openPostgresBackend } from '../../../src/stores/postgres/postgres-backend.ts';
import type { Draw } from '../hostile/draw.ts';
import type { FeedReader } from './feed-reader.ts';
import { DATABASE } from './gateway-cluster.ts';
import { CONTAINERS, KEYS, type RunState, type SoakItem, type StoredSoakItem } from './run-state.ts';

export const FAULTS: readonly ['postgres', 'gateway', 'cuts', 'foreign', 'writer'] = ['postgres', 'gateway', 'cuts', 'foreign', 'writer'];
export type Fault = (typeof FAULTS)[number];

/** How long something may take that nothing stands in the way of, on a machine that has much else to do. */
const PATIENCE_MS = 60_000;
/** Partition key of transactions that stay open. */
export const HELD_KEY = 'held';

/** What befalls the servers of a run while clients work. */
export class Faults {
  readonly #state: RunState;
  readonly #draw: Draw;
  readonly #readers: readonly FeedReader[];
  readonly #holdMs: number;
  readonly done: Record<string, number> = {};
  cutConnections = 0;
  slowestRecoveryMs = 0;

  /** @param holdMs how long a transaction stays open */
  constructor(state: RunState, draw: Draw, readers: readonly FeedReader[], holdMs: number) {
    this.#state = state;
    this.#draw = draw;
    this.#readers = readers;
    this.#holdMs = holdMs;
  }

  /** Has one fault come, and waits until everything goes on by itself. */
  async bring(fault: Fault): Promise<void> {
    const { cluster } = this.#state;
    const faults: Readonly<Record<Fault, () => Promise<void>>> = {
      postgres: () => cluster.crashPostgres(),
      gateway: () => cluster.crashGateway(this.#draw.below(cluster.gateways.length)),
      cuts: () => this.#cut(),
      foreign: () => this.#foreign(),
      writer: () => this.#writer(),
    };
    await faults[fault]();
    this.done[fault] = (this.done[fault] ?? 0) + 1;
    const startedMs = performance.now();
    for (const index of cluster.gateways.keys()) {
      for (const container of CONTAINERS) {
        await this.#probe(container, index);
      }
    }
    this.slowestRecoveryMs = Math.max(this.slowestRecoveryMs, performance.now() - startedMs);
    await Promise.all(cluster.gateways.map((gateway) => gateway.ready()));
    this.#state.renewHot();
  }

  /** Ends some connections, some times. */
  async #cut(): Promise<void> {
    const client = await this.#state.cluster.connect();
    try {
      for (let round = 0; round < 5; round += 1) {
        const { rowCount } = await client.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perigee' AND random() < 0.4",
        );
        this.cutConnections += rowCount ?? 0;
        await new Promise((resolve) => setTimeout(resolve, this.#draw.below(150)));
      }
    } finally {
      await client.end();
    }
  }

  /** A transaction that writes elsewhere in the database stays open until the feeds have shown that they do not wait for it. */
  async #foreign(): Promise<void> {
    const client = await this.#state.cluster.connect();
    try {
      await client.query('CREATE TABLE IF NOT EXISTS public.elsewhere (n bigint)');
      await client.query('BEGIN');
      await client.query('INSERT INTO public.elsewhere VALUES (txid_current())');
      await new Promise((resolve) => setTimeout(resolve, this.#holdMs));
      for (const container of CONTAINERS) {
        await this.#untilSeen(container, await this.#probe(container, 0), 'somebody else had a transaction open');
      }
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
  }

  /** A transaction that has written to a container stays open: feeds stay below it, and go on once it has ended. */
  async #writer(): Promise<void> {
    const container = this.#draw.pick(CONTAINERS);
    const { history } = this.#state;
    const backend = await openPostgresBackend({
      connectionString: this.#state.cluster.connectionString,
      applicationName: 'soak',
      sweepIntervalMs: 0,
      signals: false,
    });
    const item: SoakItem = { id: this.#state.fresh('held-'), pk: HELD_KEY, w: this.#state.fresh('w'), n: 0 };
    let probe = '';
    try {
      const store = await backend.container<SoakItem>(DATABASE, container);
      const start = history.tick();
      await store.transact(HELD_KEY, async (inside) => {
        await inside.create(item);
        probe = await this.#probe(container, 0);
        await new Promise((resolve) => setTimeout(resolve, this.#holdMs));
        if (this.#readers.some((reader) => reader.container === container && sees(reader, probe))) {
          this.#state.problems.push(`A feed of ${container} has passed a transaction that was still open.`);
        }
      });
      history.add({ container, pk: HELD_KEY, id: item.id, kind: 'create', w: item.w, n: 0, start, end: history.tick(), outcome: 'ok' });
    } finally {
      await backend.close();
    }
    await this.#untilSeen(container, probe, 'a transaction of the container had ended');
    await this.#untilSeen(container, item.w, 'it was committed', true);
  }

  /** Creates a document by one gateway, as soon as it can; gives the name of the write. */
  async #probe(container: string, gateway: number): Promise<string> {
    const { history, cluster, problems } = this.#state;
    const startedMs = performance.now();
    for (;;) {
      const item: SoakItem = { id: this.#state.fresh('probe-'), pk: this.#draw.pick(KEYS), w: this.#state.fresh('w'), n: 0 };
      const call = { container, pk: item.pk, id: item.id, kind: 'create', w: item.w, n: 0, start: history.tick() } as const;
      const answer = await cluster.gateways[gateway]?.send(container, (opened) =>
        opened.items.create<StoredSoakItem>(item as unknown as StoredSoakItem),
      );
      if (answer?.kind === 'answered') {
        history.add({ ...call, end: history.tick(), outcome: 'ok', etag: answer.value.resource?._etag });
        return item.w;
      }
      if (answer?.kind !== 'unsent') {
        history.add({ ...call, end: Number.POSITIVE_INFINITY, outcome: 'unknown' });
      }
      if (performance.now() - startedMs > PATIENCE_MS) {
        problems.push(`A gateway took no write to ${container} for ${PATIENCE_MS / 1000} s: ${String(answer?.error)}.`);
        return item.w;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until all readers that follow the whole container have seen a write. */
  async #untilSeen(container: string, w: string, when: string, isHeld = false): Promise<void> {
    const startedMs = performance.now();
    const readers = this.#readers.filter((reader) => reader.container === container && reader.pk === undefined);
    while (!readers.every((reader) => sees(reader, w))) {
      if (performance.now() - startedMs > PATIENCE_MS) {
        this.#state.problems.push(`A feed of ${container} has not given ${w}${isHeld ? ', which was held' : ''} for long after ${when}.`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function sees({ changes, versions }: FeedReader, w: string): boolean {
  return changes.findLast((change) => change.w === w) !== undefined || versions.findLast(({ current }) => current?.w === w) !== undefined;
}
