import { Draw } from '../hostile/draw.ts';
import type { ServedProcessOptions } from '../process/served-process.ts';
import type { HeldDocument } from './check-feed.ts';
import { checkHistory } from './check-history.ts';
import { FAULTS, Faults } from './faults.ts';
import { FeedReader } from './feed-reader.ts';
import { GatewayClient } from './gateway-client.ts';
import { DATABASE, GatewayCluster } from './gateway-cluster.ts';
import { ACCOUNTS, BALANCE, CONTAINERS, KEYS, RunState, type StoredSoakItem } from './run-state.ts';

/** What {@link runGateways} runs. */
export interface GatewaysOptions {
  readonly seed: number;
  readonly program: ServedProcessOptions['program'];
  readonly clients: number;
  /** Faults come for so long, and each of them once at least. */
  readonly seconds: number;
  /** Clients work for up to so long between two faults. */
  readonly pauseMs: number;
  /** How long transactions of others stay open. */
  readonly holdMs: number;
  readonly onProgress?: (progress: string) => void;
}

/** What a run came to. */
export interface GatewaysResult {
  /** What was wrong; nothing, or the store loses data. */
  readonly problems: readonly string[];
  readonly calls: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly reads: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly cutConnections: number;
  /** How long the slowest recovery took until both gateways took writes to both containers. */
  readonly slowestRecoveryMs: number;
  readonly documents: number;
  /** Changes that the readers of latest versions were given, and versions that the one of all was. */
  readonly changes: number;
  readonly versions: number;
  readonly pages: number;
  readonly checkedMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

async function prepare(state: RunState): Promise<void> {
  const { client } = state.cluster.gateways[0] as (typeof state.cluster.gateways)[number];
  const { database } = await client.databases.create({ id: DATABASE });
  for (const id of CONTAINERS) {
    await database.containers.create({
      id,
      partitionKey: { paths: ['/pk'] },
      ...(id === 'versioned' ? { changeFeedPolicy: { retentionDuration: 1440 } } : {}),
    });
  }
}

async function fill(state: RunState): Promise<void> {
  const { history, cluster } = state;
  for (const container of CONTAINERS) {
    for (const pk of KEYS) {
      for (const id of ACCOUNTS) {
        const item = { id, pk, w: state.fresh('w'), n: BALANCE };
        const start = history.tick();
        const answer = await cluster.gateways[0]?.send(container, (opened) => opened.items.create(item));
        if (answer?.kind !== 'answered') {
          throw new Error('The documents of the run could not be made.', { cause: answer?.error });
        }
        history.add({ ...item, container, kind: 'create', start, end: history.tick(), outcome: 'ok' });
      }
    }
  }
}

/** All documents, when nobody writes any more, as the gateway `index` gives them. */
async function everything({ cluster }: RunState, index: number): Promise<readonly HeldDocument[]> {
  const held: HeldDocument[] = [];
  for (const container of CONTAINERS) {
    const answer = await cluster.gateways[index]?.send(container, (opened) => opened.items.readAll<StoredSoakItem>().fetchAll());
    if (answer?.kind !== 'answered') {
      throw new Error('The documents could not be read at the end.', { cause: answer?.error });
    }
    held.push(...answer.value.resources.map(({ pk, id, w, n, _etag: etag }) => ({ container, pk, id, w, n, etag })));
  }
  return held;
}

/** Brings faults until the time is over; those that have not come are first. */
async function bringFaults(faults: Faults, draw: Draw, { seconds, pauseMs, onProgress }: GatewaysOptions, state: RunState): Promise<void> {
  const untilMs = performance.now() + seconds * 1000;
  let left = [...FAULTS];
  for (let isFirstRound = true; ;) {
    if (left.length === 0) {
      left = [...FAULTS];
      isFirstRound = false;
    }
    if (!isFirstRound && performance.now() >= untilMs) {
      return;
    }
    const fault = draw.pick(left);
    left = left.filter((other) => other !== fault);
    await new Promise((resolve) => setTimeout(resolve, draw.below(pauseMs)));
    await faults.bring(fault);
    const died = state.cluster.gateways.filter(({ process }) => !process.isAlive);
    if (died.length > 0) {
      throw new Error(`A gateway ended by itself: ${died[0]?.process.stderr.slice(-2000)}`);
    }
    onProgress?.(`${state.history.calls.length} calls, ${Object.values(faults.done).reduce((sum, count) => sum + count, 0)} faults`);
  }
}

/**
 * Two gateways on one PostgreSQL: clients of the official SDK work on both at once while PostgreSQL and gateways are killed, connections are cut and
 * transactions stay open, and everything that they were told is checked: see {@link checkHistory}.
 */
export async function runGateways(options: GatewaysOptions): Promise<GatewaysResult> {
  const draw = new Draw(`gateways-${options.seed}`);
  const cluster = new GatewayCluster(options.program);
  const state = new RunState(cluster);
  try {
    await cluster.start();
    await prepare(state);
    const versions = new FeedReader(state, 'versioned', { mode: 'all' });
    const latest = CONTAINERS.flatMap((container) => [
      new FeedReader(state, container, { mode: 'latest' }),
      ...KEYS.map((pk) => new FeedReader(state, container, { mode: 'latest', pk })),
    ]);
    const readers = [versions, ...latest];
    // It starts from now, which has to be before the first write.
    await versions.drain();
    await fill(state);
    const clients = Array.from({ length: options.clients }, () => new GatewayClient(state, new Draw(draw.below(2 ** 31))));
    const faults = new Faults(state, draw, readers, options.holdMs);
    const work = Promise.all([...clients.map((client) => client.run()), ...readers.map((reader) => reader.run())]);
    await Promise.race([bringFaults(faults, draw, options, state), work]);
    state.isOver = true;
    await work;
    for (const reader of readers) {
      await reader.drain();
    }
    const held = await everything(state, 0);
    if (JSON.stringify(held) !== JSON.stringify(await everything(state, 1))) {
      state.problems.push('The two gateways do not give the same documents at the end.');
    }
    const startedMs = performance.now();
    const { calls } = state.history;
    const readings = latest.map(({ name, container, pk, changes }) => ({ name, container, pk, changes }));
    const endPlace = state.history.tick();
    const found = checkHistory({ calls, readings, versions: new Map([['versioned', versions.versions]]), held, endPlace });
    const writes = calls.filter(({ kind }) => kind !== 'read');
    return {
      problems: [...state.problems, ...cluster.stalls, ...found],
      calls: calls.length,
      acknowledged: writes.filter(({ outcome }) => outcome === 'ok').length,
      refused: writes.filter(({ outcome }) => outcome === 'refused').length,
      unknown: writes.filter(({ outcome }) => outcome === 'unknown').length,
      reads: calls.length - writes.length,
      faults: faults.done,
      cutConnections: faults.cutConnections,
      slowestRecoveryMs: faults.slowestRecoveryMs,
      documents: held.length,
      changes: latest.reduce((sum, { changes }) => sum + changes.length, 0),
      versions: versions.versions.length,
      pages: readers.reduce((sum, { pages }) => sum + pages, 0),
      checkedMs: performance.now() - startedMs,
      counts: state.counts,
    };
  } finally {
    state.isOver = true;
    await cluster.stop();
  }
}
