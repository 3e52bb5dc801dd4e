import type { EpkRange } from '../store/queries.ts';
import type { OpenContainer } from './container-registry.ts';
import { scopeOfRange } from './partitions/range-scope.ts';
import type { RequestContext } from './server-context.ts';
import { header } from './wire-headers.ts';

/** The part of the hash space that the headers of a request restrict it to; `undefined` for everything. @throws GONE, BAD_REQUEST */
export function rangeOfRequest({ headers, server }: RequestContext, { layout }: OpenContainer): EpkRange | undefined {
  return scopeOfRange(
    layout,
    {
      rangeId: header(headers, 'x-ms-documentdb-partitionkeyrangeid'),
      startEpk: header(headers, 'x-ms-start-epk'),
      endEpk: header(headers, 'x-ms-end-epk'),
    },
    server.runtime.nowMs(),
  );
}
