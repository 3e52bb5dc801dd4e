import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { OpenContainer } from '../container-registry.ts';
import { optionalKey } from '../document-key.ts';
import { maxUnits } from '../offers/throughput.ts';
import { touchedRanges } from '../partitions/range-scope.ts';
import { rangeOfRequest } from '../request-scope.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import type { ThroughputLeases } from './throughput-leases.ts';

/** What one physical partition may still spend. */
interface Budget {
  /** Request units that are left of the second; below zero what later seconds owe. */
  left: number;
  /** Which second it is: by the clock that never goes back, or with leases by that of the wall. */
  second: number;
  /** The lease that is being taken, for all who wait for one. */
  leasing: Promise<void> | undefined;
}

const CHARGE_HEADER = 'x-ms-request-charge';
const MAX_BUDGETS = 10_000;
/** Leases that a second has room for. */
const SLICES = 10;

/**
 * Refuses requests beyond the provisioned throughput, as the service does: each physical partition may spend its share of it in a second.
 *
 * A request is admitted while anything is left of the second, and may spend more than that; what it spends too much is owed by the seconds that follow.
 * A throughput that is shared by the containers of a database is one budget.
 *
 * Where several servers stand on one store, each leases slices of a second: together they admit what is provisioned, and each may overdraw once.
 */
export class ThroughputLimiter {
  readonly #runtime: Runtime;
  readonly #leases: ThroughputLeases | undefined;
  readonly #budgets = new Map<string, Budget>();

  /** @param leases where others may spend of the same throughput */
  constructor(runtime: Runtime, leases: ThroughputLeases | undefined) {
    this.#runtime = runtime;
    this.#leases = leases;
  }

  /** Runs `work` and takes its charge from the budgets of the ranges that the request touches. @throws THROTTLED */
  async run(context: RequestContext, container: OpenContainer, work: () => Promise<Reply>): Promise<Reply> {
    const { throughput } = container;
    if (throughput === undefined) {
      return work();
    }
    const { layout, info } = container;
    const isOwn = throughput.ownerRid === info.rid;
    const touched = isOwn
      ? touchedRanges(layout, info.definition.partitionKey, optionalKey(context, container), rangeOfRequest(context, container))
      : [{ id: '' }];
    const unitsPerSecond = maxUnits(throughput.throughput) / (isOwn ? layout.ranges.length : 1);
    const budgets = touched.map(({ id }) => this.#budget(`${throughput.ownerRid}/${id}`, unitsPerSecond));
    if (this.#leases !== undefined) {
      await Promise.all(touched.map(({ id }, index) => this.#lease(budgets[index] as Budget, throughput.ownerRid, id, unitsPerSecond)));
    }
    const owed = Math.min(...budgets.map(({ left }) => left));
    if (owed <= 0) {
      throw new PerigeeError(
        'THROTTLED',
        'The request rate is large: more request units were asked for than are provisioned. Wait and try again.',
        {
          retryAfterMs: this.#untilPaidMs(owed, unitsPerSecond),
        },
      );
    }
    const reply = await work();
    const charge = chargeOf(reply) / budgets.length;
    for (const budget of budgets) {
      budget.left -= charge;
    }
    return reply;
  }

  /** Forgets what was spent, and owed: each range may spend a whole second's throughput again. */
  refill(): void {
    this.#budgets.clear();
  }

  #budget(key: string, unitsPerSecond: number): Budget {
    const second = Math.floor(this.#nowMs() / 1000);
    let budget = this.#budgets.get(key);
    if (budget === undefined) {
      if (this.#budgets.size >= MAX_BUDGETS) {
        this.#budgets.clear();
      }
      budget = { left: this.#leases === undefined ? unitsPerSecond : 0, second, leasing: undefined };
      this.#budgets.set(key, budget);
      return budget;
    }
    if (this.#leases === undefined) {
      budget.left = Math.min(unitsPerSecond, budget.left + (second - budget.second) * unitsPerSecond);
    } else if (second !== budget.second) {
      // What was leased and not spent has lapsed; what was spent too much is still owed.
      budget.left = Math.min(0, budget.left);
    }
    budget.second = second;
    return budget;
  }

  /** Takes a slice of the second where nothing is left of those before, and pays what is owed with it. */
  async #lease(budget: Budget, ownerRid: string, range: string, unitsPerSecond: number): Promise<void> {
    if (budget.left > 0) {
      return;
    }
    budget.leasing ??= this.#takeSlice(budget, ownerRid, range, unitsPerSecond).finally(() => {
      budget.leasing = undefined;
    });
    await budget.leasing;
  }

  async #takeSlice(budget: Budget, ownerRid: string, range: string, unitsPerSecond: number): Promise<void> {
    const { second } = budget;
    const wanted = Math.ceil(unitsPerSecond / SLICES) - budget.left;
    const granted = (await this.#leases?.take(ownerRid, range, second, wanted, unitsPerSecond)) ?? 0;
    // A lease that came too late is of a second that is over, but for what it pays.
    budget.left = budget.second === second ? budget.left + granted : Math.min(0, budget.left + granted);
  }

  /** The clock by which seconds are counted: with leases one that other servers have too. */
  #nowMs(): number {
    return this.#leases === undefined ? this.#runtime.monotonicMs() : this.#runtime.nowMs();
  }

  /** The time until the first second in which something is left again. */
  #untilPaidMs(left: number, unitsPerSecond: number): number {
    const seconds = Math.floor(-left / unitsPerSecond) + 1;
    return Math.ceil(seconds * 1000 - (this.#nowMs() % 1000));
  }
}

function chargeOf(reply: Reply): number {
  const at = reply.headers.indexOf(CHARGE_HEADER);
  return at === -1 ? 0 : Number(reply.headers[at + 1]);
}
