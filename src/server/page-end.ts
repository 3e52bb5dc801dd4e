import { PerigeeError } from '../core/errors.ts';
import { prepareQuery } from '../query/prepare-query.ts';
import { cursorBinding } from '../store/change-cursor.ts';
import type { EpkRange } from '../store/queries.ts';
import type { PartitionKey } from '../store/partition-key.ts';
import type { OpenContainer } from './container-registry.ts';
import type { QueryBody } from './query-body.ts';
import type { StoreToken } from './wire-token.ts';

/*
 * The service ends a page as soon as it is full, without looking whether anything follows; so a query whose rows fill their last page has an empty one
 * behind it, and clients count pages. A store knows better, and says that there is no more: its full last page gets a token of the server's own.
 *
 * That holds for a container of one range. The service begins a page with each range, so what is in the last page of several depends on how the
 * documents lie in them; pages of a store do not stop there, and say at once that they were the last.
 */

const MARK = 'end.';

/** What of a request the token of a last page is bound to. */
export interface PageScope {
  readonly partitionKey: PartitionKey | undefined;
  readonly range: EpkRange | undefined;
}

function endToken(container: OpenContainer, query: QueryBody, { partitionKey, range }: PageScope): string {
  const source = JSON.stringify([container.info.rid, query.query, query.parameters]);
  return MARK + cursorBinding(source, { mode: 'query', partitionKey, range });
}

/** The token behind a last page that is full; `undefined` for queries that end by themselves: those that count, group or sort their rows. */
export function tokenBehindFullPage(container: OpenContainer, query: QueryBody, scope: PageScope): string | undefined {
  if (container.layout.ranges.length > 1) {
    return undefined;
  }
  const { root, isStreamable } = prepareQuery(query.query);
  return isStreamable && root.top === undefined && root.limit === undefined ? endToken(container, query, scope) : undefined;
}

/** Whether a token says that nothing follows. @throws INVALID_CONTINUATION for that of another query, container, partition key or range */
export function isEnd({ token, issuedFor }: StoreToken, container: OpenContainer, query: QueryBody, scope: PageScope): boolean {
  if (!token.startsWith(MARK)) {
    return false;
  }
  const range = issuedFor === undefined ? scope.range : issuedFor === 'all' ? undefined : issuedFor;
  if (token !== endToken(container, query, { ...scope, range })) {
    throw new PerigeeError(
      'INVALID_CONTINUATION',
      'It was issued for another query, container, partition key or range. Start again without it.',
    );
  }
  return true;
}
