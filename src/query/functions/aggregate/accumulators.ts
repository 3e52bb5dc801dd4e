import { PerigeeError } from '../../../core/errors.ts';
import { compareValues } from '../../../core/json-order.ts';
import type { JsonValue } from '../../../core/json.ts';
import type { Accumulator, Argument } from '../function-entry.ts';
import { valueKey } from '../value-key.ts';

/** How many values MAKELIST and MAKESET collect before the query fails with QUERY_LIMIT. */
export const MAX_COLLECTED_VALUES = 100_000;

/** A fresh count of the values that `counts` accepts. */
export function countWhere(counts: (value: Argument) => boolean): Accumulator {
  let count = 0;
  return {
    add(value) {
      if (counts(value)) {
        count += 1;
      }
    },
    result: () => count,
  };
}

/** A sum that keeps the low-order bits (Neumaier), so that it hardly depends on the order of the rows. */
class NumberSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#lost : this.#sum;
  }
}

/** SUM and AVG skip undefined; one value that is not a number makes the whole result undefined. */
function overNumbers(finish: (sum: number, count: number) => Argument): Accumulator {
  const sum = new NumberSum();
  let count = 0;
  let poisoned = false;
  return {
    add(value) {
      if (typeof value === 'number') {
        sum.add(value);
        count += 1;
      } else if (value !== undefined) {
        poisoned = true;
      }
    },
    result: () => (poisoned ? undefined : finish(sum.value, count)),
  };
}

/** A fresh SUM; 0 over nothing. */
export function sumAccumulator(): Accumulator {
  return overNumbers((sum) => sum);
}

/** A fresh AVG; undefined over nothing. */
export function averageAccumulator(): Accumulator {
  return overNumbers((sum, count) => (count === 0 ? undefined : sum / count));
}

/** A fresh MIN (`sign` -1) or MAX (`sign` 1): undefined over nothing, and wherever an array or an object is among the values. */
export function extremeAccumulator(sign: -1 | 1): Accumulator {
  let best: Argument;
  let poisoned = false;
  return {
    add(value) {
      if (value === undefined) {
        return;
      }
      if (typeof value === 'object' && value !== null) {
        poisoned = true;
      } else if (best === undefined || sign * compareValues(value, best) > 0) {
        best = value;
      }
    },
    result: () => (poisoned ? undefined : best),
  };
}

/** A fresh list of the defined values in the order of the rows, each once where `distinct`; over {@link MAX_COLLECTED_VALUES} of them fail with QUERY_LIMIT. */
export function collector(name: string, distinct: boolean): Accumulator {
  const values: JsonValue[] = [];
  const seen = new Set<string>();
  return {
    add(value) {
      if (value === undefined) {
        return;
      }
      if (distinct) {
        const key = valueKey(value);
        if (seen.has(key)) {
          return;
        }
        seen.add(key);
      }
      if (values.length === MAX_COLLECTED_VALUES) {
        throw new PerigeeError(
          'QUERY_LIMIT',
          `Cannot run the query: ${name} collects at most ${MAX_COLLECTED_VALUES} values. Filter more.`,
        );
      }
      values.push(value);
    },
    result: () => [...values],
  };
}
