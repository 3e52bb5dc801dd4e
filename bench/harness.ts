/** One line of a benchmark's result; a `ratio` is value over baseline in the direction in which more is better. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  /** How the measured side compares with the baseline; for the bar's direction see `bar`. */
  readonly ratio: number;
  /** The bar of the ratio: `>= 0.6`, `<= 5`, or none. */
  readonly bar: string | null;
  readonly met: boolean | null;
}

/** One side of a comparison: does its work once and returns how many units it did and the milliseconds they took. */
export type Side = () =>
  | Promise<{ readonly units: number; readonly elapsedMs: number }>
  | { readonly units: number; readonly elapsedMs: number };

/** Times a piece of work that does `units` units. */
export async function timed(units: number, work: () => unknown): Promise<{ units: number; elapsedMs: number }> {
  const startMs = performance.now();
  await work();
  return { units, elapsedMs: performance.now() - startMs };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Settings of {@link compareRates}. */
export interface CompareOptions {
  readonly name: string;
  readonly unit: string;
  readonly rounds: number;
  /** Lowest acceptable ratio of measured to baseline rate. */
  readonly atLeast?: number | undefined;
  readonly measured: Side;
  readonly baseline: Side;
}

/**
 * Runs both sides alternately, one warm-up round not counted, and compares the medians of their rates. The order within a round changes every
 * time, so that neither side always meets the cooler core. The ratio is the median of the rounds' own ratios, which cancels drift.
 */
export async function compareRates(options: CompareOptions): Promise<BenchResult> {
  const measured: number[] = [];
  const baseline: number[] = [];
  const ratios: number[] = [];
  for (let round = -1; round < options.rounds; round += 1) {
    const rates = [0, 0];
    for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const { units, elapsedMs } = await (side === 0 ? options.measured : options.baseline)();
      rates[side] = (units * 1000) / elapsedMs;
    }
    if (round >= 0) {
      measured.push(rates[0] as number);
      baseline.push(rates[1] as number);
      ratios.push((rates[0] as number) / (rates[1] as number));
    }
  }
  const ratio = median(ratios);
  return {
    name: options.name,
    value: median(measured),
    unit: options.unit,
    baseline: median(baseline),
    ratio,
    bar: options.atLeast === undefined ? null : `>= ${options.atLeast}`,
    met: options.atLeast === undefined ? null : ratio >= options.atLeast,
  };
}

/** Compares two amounts (milliseconds, requests) of which less is better; the ratio is measured over baseline. */
export function compareAmounts(
  name: string,
  unit: string,
  measured: readonly number[],
  baseline: readonly number[],
  atMost?: number,
): BenchResult {
  const value = median(measured);
  const base = median(baseline);
  const ratio = median(measured.map((amount, index) => amount / (baseline[index] as number)));
  return {
    name,
    value,
    unit,
    baseline: base,
    ratio,
    bar: atMost === undefined ? null : `<= ${atMost}`,
    met: atMost === undefined ? null : ratio <= atMost,
  };
}

/** A result judged by its value instead of its ratio. */
export function withBar(result: BenchResult, direction: 'at least' | 'at most', value: number): BenchResult {
  const met = direction === 'at least' ? result.value >= value : result.value <= value;
  return { ...result, bar: `${direction} ${value.toLocaleString('en')} ${result.unit}`, met };
}

/** A document of about 500 bytes as JSON. */
export function sampleDocument(
  index: number,
  owner: string,
): {
  id: string;
  owner: string;
  [key: string]: string | number | boolean | readonly string[] | { readonly [key: string]: string | number };
} {
  return {
    id: `doc-${String(index).padStart(8, '0')}`,
    owner,
    type: index % 3 === 0 ? 'note' : 'task',
    title: `Document number ${index} of the benchmark`,
    rank: (index * 7919) % 10_007,
    done: index % 2 === 0,
    tags: ['alpha', `tag-${index % 17}`, `group-${index % 5}`],
    address: { street: `${index % 400} Long Street`, city: index % 4 === 0 ? 'Lyon' : 'Porto', zip: 10_000 + (index % 90_000) },
    body: 'All work and no play makes a dull document, so this one has some words to reach the size that the issue asks for, and then a few more of them.',
    updatedAt: `2026-01-${String((index % 28) + 1).padStart(2, '0')}T08:00:00.0000000Z`,
  };
}
