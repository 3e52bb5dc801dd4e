import type { PluginConfig, RequestContext } from '@azure/cosmos';

/** Where the pieces begin: keys are hashed to 128 bits, of which the first two are zero. */
const STARTS = ['', '08', '10', '1C', '30'];

interface RangeList {
  readonly PartitionKeyRanges: readonly Record<string, unknown>[];
}

/** Headers of the protocol that restrict a request to a part of the hash space. */
const RANGE_ID = 'x-ms-documentdb-partitionkeyrangeid';
const START = 'x-ms-start-epk';
const END = 'x-ms-end-epk';

function splitRange(range: Record<string, unknown>): Record<string, unknown>[] {
  return STARTS.map((min, index) => ({ ...range, id: String(index), minInclusive: min, maxExclusive: STARTS[index + 1] ?? 'FF' }));
}

/** Sends what is meant for a piece to the one range that there is, restricted to the piece. */
function narrow({ headers = {} }: RequestContext): void {
  const piece = headers[RANGE_ID];
  if (piece !== undefined) {
    const index = Number(piece);
    headers[RANGE_ID] = '0';
    headers[START] ??= STARTS[index] as string;
    headers[END] ??= STARTS[index + 1] ?? 'FF';
  }
}

/**
 * Makes a client of the SDK believe that a container of one range has five, so that it merges what five requests answer; `onQuery` hears of each
 * of these, by the text that was sent.
 */
export function splitRanges(onQuery: (text: string) => void = () => undefined): PluginConfig {
  return {
    on: 'request',
    plugin: async (context, _, next) => {
      if (context.headers?.[RANGE_ID] !== undefined && context.body !== undefined) {
        onQuery((JSON.parse(context.body as string) as { readonly query: string }).query);
      }
      narrow(context);
      const response = await next(context);
      const ranges = (response.result as Partial<RangeList> | undefined)?.PartitionKeyRanges;
      return ranges === undefined
        ? response
        : { ...response, result: { ...(response.result as object), PartitionKeyRanges: ranges.flatMap(splitRange) } };
    },
  };
}
