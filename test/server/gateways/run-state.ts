import type { Draw } from '../hostile/draw.ts';
import type { Gateway, GatewayCluster } from './gateway-cluster.ts';
import { History } from './history.ts';

/** Containers of a run: one whose documents are written by single statements, and one that records every version. */
export const CONTAINERS: readonly ['plain', 'versioned'] = ['plain', 'versioned'];
export const KEYS: readonly string[] = ['k0', 'k1', 'k2'];
/** Documents of a partition key whose numbers have one sum, whatever is moved between them. */
export const ACCOUNTS: readonly string[] = ['account-0', 'account-1', 'account-2', 'account-3'];
export const BALANCE = 100;
/** Documents of a partition key that many clients write at once. */
export const HOT = 2;
/** Calls after which another document takes the place of a hot one, so that no history to be searched is long. */
const HOT_CALLS = 250;

/** A document of a run. */
export interface SoakItem {
  readonly id: string;
  readonly pk: string;
  readonly w: string;
  readonly n: number;
}

export interface StoredSoakItem extends SoakItem {
  readonly _etag: string;
}

/** What all parts of a run share. */
export class RunState {
  readonly cluster: GatewayCluster;
  readonly history: History = new History();
  /** What was wrong while it ran. */
  readonly problems: string[] = [];
  /** Answers by what they were, for the result. */
  readonly counts: Record<string, number> = {};
  #generation = 0;
  #hotCalls = 0;
  #made = 0;
  isOver = false;

  constructor(cluster: GatewayCluster) {
    this.cluster = cluster;
  }

  gateway(draw: Draw): Gateway {
    return draw.pick(this.cluster.gateways);
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** A name that nothing else has. */
  fresh(prefix: string): string {
    this.#made += 1;
    return `${prefix}${this.#made}`;
  }

  hotId(draw: Draw): string {
    this.#hotCalls += 1;
    if (this.#hotCalls > HOT_CALLS * CONTAINERS.length * KEYS.length * HOT) {
      this.renewHot();
    }
    return `hot-${draw.below(HOT)}-${this.#generation}`;
  }

  /** Has clients go on with other hot documents; done after each fault, which leaves calls without an answer. */
  renewHot(): void {
    this.#generation += 1;
    this.#hotCalls = 0;
  }
}
