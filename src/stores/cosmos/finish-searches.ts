import { PerigeeError } from '../../core/errors.ts';
import { CallScope } from './call-scope.ts';

/** Times in a row that a search may be asked, give nothing and send nothing, before it counts as one that never ends. */
export const MAX_IDLE_ASKS = 8;

type Members = Record<string, unknown>;
type Call = (...args: readonly unknown[]) => unknown;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function isCall(value: unknown): value is Call {
  return typeof value === 'function';
}

/** Puts a function around a method of one object; where the object has no such method, as in another version of the SDK, nothing changes. */
function wrapMethod(target: Members, name: string, wrap: (original: Call) => Call): void {
  const original = target[name];
  if (isCall(original)) {
    target[name] = wrap((...args) => original.apply(target, [...args]));
  }
}

function itemsOf(response: unknown): readonly unknown[] {
  const result = isMembers(response) ? response['result'] : undefined;
  const buffer = isMembers(result) ? result['buffer'] : undefined;
  return Array.isArray(buffer) ? buffer : [];
}

function hasMore(source: Members): boolean {
  const { hasMoreResults } = source;
  return isCall(hasMoreResults) && hasMoreResults.call(source) === true;
}

/** The failure of a query that is asked again and again and neither gives nor sends anything. */
export function endlessQuery(): PerigeeError {
  return new PerigeeError(
    'QUERY_FAILED',
    'Cannot run the query to its end: the SDK says that there is more, and does nothing about it. Use another version of @azure/cosmos.',
  );
}

/**
 * The part that sorts the rows of a search takes the first answer without rows for the end, although some ranges may have more, and what it reads
 * from notices its own end only when it is asked once more. So that one is asked until it has rows, or knows that it has ended.
 */
function finishSorter(sorter: unknown): void {
  const source = isMembers(sorter) ? sorter['executionContext'] : undefined;
  if (!isMembers(sorter) || !isMembers(source) || !('isCompleted' in sorter)) {
    return;
  }
  wrapMethod(source, 'fetchMore', (fetchMore) => async (...args) => {
    let response = await fetchMore(...args);
    for (let idle = 0; itemsOf(response).length === 0 && hasMore(source);) {
      const before = CallScope.current()?.answers;
      response = await fetchMore(...args);
      idle = CallScope.current()?.answers === before ? idle + 1 : 0;
      if (idle > MAX_IDLE_ASKS) {
        throw endlessQuery();
      }
    }
    return response;
  });
  // Where OFFSET leaves nothing it gives nothing at all, over which its caller stumbles.
  wrapMethod(
    sorter,
    'fetchMore',
    (fetchMore) =>
      async (...args) =>
        (await fetchMore(...args)) ?? { result: undefined, headers: {} },
  );
}

function finishParts(context: Members): void {
  const parts = context['componentsExecutionContext'];
  for (const part of Array.isArray(parts) ? (parts as readonly unknown[]) : []) {
    finishSorter(isMembers(part) ? part['endpoint'] : undefined);
  }
}

/** Whether the ranges were counted, and hold no document; the SDK then refuses to go on. */
function isOverNothing(context: Members): boolean {
  const aggregator = context['globalStatisticsAggregator'];
  const getResult = isMembers(aggregator) ? aggregator['getResult'] : undefined;
  const counted = isCall(getResult) ? getResult.call(aggregator) : undefined;
  return isMembers(counted) && counted['documentCount'] === 0;
}

/**
 * Lets searches that find nothing end: those by likeness of vectors, and those that rank texts. SDK 4.9.3 says for ever that such a query has more;
 * where it fuses ranks it asks itself for that more in a loop that never gives the process a turn, so that nothing from outside could end it.
 *
 * It changes the one query that it is given, where that has the parts that 4.9.3 has.
 */
export function finishSearches(iterator: object): void {
  const query: unknown = iterator;
  if (!isMembers(query)) {
    return;
  }
  wrapMethod(query, 'createExecutionContext', (create) => async (...args) => {
    await create(...args);
    const context = query['queryExecutionContext'];
    if (isMembers(context)) {
      finishSorter(context['endpoint']);
      finishParts(context);
      // Where texts are counted first, the parts are made only then.
      wrapMethod(context, 'createComponentExecutionContexts', (createParts) => () => {
        if (!isOverNothing(context)) {
          createParts();
          finishParts(context);
        }
      });
    }
  });
}
