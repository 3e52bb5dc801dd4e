import { containerSelf } from '../../store/resource-id.ts';
import { feedBody, READ_CHARGE } from '../feed-reply.ts';
import { PARTITION_RANGES } from '../partition-ranges.ts';
import { chargeHeader, jsonReply, type Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `GET .../pkranges`: the ranges of a container, as a feed whose etag changes when they do. */
export async function listPartitionRanges(context: RequestContext): Promise<Reply> {
  return context.withContainer(async ({ info }) => {
    const etag = `"${PARTITION_RANGES.map(({ id }) => id).join('-')}"`;
    const headers = ['x-ms-request-charge', chargeHeader(READ_CHARGE), 'etag', etag];
    if (header(context.headers, 'if-none-match') === etag) {
      return { status: 304, headers, body: undefined };
    }
    const ranges = PARTITION_RANGES.map(({ id, min, max }, index) => ({
      _rid: info.rid,
      id,
      _etag: info.etag,
      minInclusive: min,
      maxExclusive: max,
      ridPrefix: index,
      _self: `${containerSelf(info.rid)}pkranges/${id}/`,
      throughputFraction: 1 / PARTITION_RANGES.length,
      status: 'online',
      parents: [],
      _ts: info.ts,
    }));
    return jsonReply(200, feedBody(info.rid, 'PartitionKeyRanges', ranges), [...headers, 'x-ms-item-count', String(ranges.length)]);
  });
}
