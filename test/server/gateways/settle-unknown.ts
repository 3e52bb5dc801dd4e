import type { Call } from './history.ts';

/** Calls of which it is known whether they took effect, as far as it can be, and the positions of all writes that did. */
export interface Settled {
  readonly calls: readonly Call[];
  readonly positions: ReadonlyMap<string, number>;
}

/**
 * Finds out what became of calls without an answer, so that the search for an order need not try.
 *
 * In a container whose versions are all told, a write that is not told was not done. A batch was done if what it made is there, which nothing writes
 * again: then all of it was, in the places before that; and if it is not, nothing of it was. Where the store does otherwise, no order is found, or
 * {@link checkVersions} finds the half of a batch. A write that somebody has seen is never left out.
 *
 * @param recorded containers whose versions are all told
 */
export function settleUnknown(calls: readonly Call[], known: ReadonlyMap<string, number>, recorded: ReadonlySet<string>): Settled {
  const positions = new Map(known);
  const batches = new Map<string, Call[]>();
  for (const call of calls) {
    if (call.batch !== undefined && call.outcome === 'unknown') {
      batches.set(call.batch, [...(batches.get(call.batch) ?? []), call]);
    }
  }
  for (const parts of batches.values()) {
    const made = parts.find(({ kind }) => kind === 'create');
    const position = known.get(made?.w ?? '');
    if (position !== undefined) {
      for (const [index, { w = '' }] of parts.entries()) {
        // Nobody else has a place in the partition key between those of a batch.
        positions.set(w, known.get(w) ?? position - (parts.length - 1 - index) / parts.length);
      }
    }
  }
  const isUndone = ({ outcome, batch, container, w }: Call): boolean =>
    outcome === 'unknown' && w !== undefined && !positions.has(w) && (batch !== undefined || recorded.has(container));
  return { calls: calls.filter((call) => !isUndone(call)), positions };
}
