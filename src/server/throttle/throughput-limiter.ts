import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { OpenContainer } from '../container-registry.ts';
import { optionalKey } from '../document-key.ts';
import { maxUnits } from '../offers/throughput.ts';
import { touchedRanges } from '../partitions/range-scope.ts';
import { rangeOfRequest } from '../request-scope.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** What one physical partition may still spend. */
interface Budget {
  /** Request units that are left of the second; below zero what later seconds owe. */
  left: number;
  /** Which second it is, by the clock that never goes back. */
  second: number;
}

const CHARGE_HEADER = 'x-ms-request-charge';
const MAX_BUDGETS = 10_000;

/**
 * Refuses requests beyond the provisioned throughput, as the service does: each physical partition may spend its share of it in a second.
 *
 * A request is admitted while anything is left of the second, and may spend more than that; what it spends too much is owed by the seconds that follow.
 * A throughput that is shared by the containers of a database is one budget.
 */
export class ThroughputLimiter {
  readonly #runtime: Runtime;
  readonly #budgets = new Map<string, Budget>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
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

  #budget(key: string, unitsPerSecond: number): Budget {
    const second = Math.floor(this.#runtime.monotonicMs() / 1000);
    const known = this.#budgets.get(key);
    if (known === undefined) {
      if (this.#budgets.size >= MAX_BUDGETS) {
        this.#budgets.clear();
      }
      const budget = { left: unitsPerSecond, second };
      this.#budgets.set(key, budget);
      return budget;
    }
    known.left = Math.min(unitsPerSecond, known.left + (second - known.second) * unitsPerSecond);
    known.second = second;
    return known;
  }

  /** The time until the first second in which something is left again. */
  #untilPaidMs(left: number, unitsPerSecond: number): number {
    const seconds = Math.floor(-left / unitsPerSecond) + 1;
    return Math.ceil(seconds * 1000 - (this.#runtime.monotonicMs() % 1000));
  }
}

function chargeOf(reply: Reply): number {
  const at = reply.headers.indexOf(CHARGE_HEADER);
  return at === -1 ? 0 : Number(reply.headers[at + 1]);
}
