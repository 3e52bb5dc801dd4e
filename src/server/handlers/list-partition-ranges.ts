import { containerSelf, resourceIdOfRange } from '../../store/resource-id.ts';
import { feedBody, READ_CHARGE } from '../feed-reply.ts';
import type { OpenContainer } from '../container-registry.ts';
import { chargeHeader, jsonReply, type Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** The ranges of a container as clients see them. */
function rangesJson({ info, layout }: OpenContainer): readonly object[] {
  return layout.ranges.map(({ id, min, max, parents }, index) => {
    const rid = resourceIdOfRange(info.rid, Number(id));
    return {
      _rid: rid,
      id,
      _etag: info.etag,
      minInclusive: min,
      maxExclusive: max,
      ridPrefix: index,
      _self: `${containerSelf(info.rid)}pkranges/${rid}/`,
      throughputFraction: 1 / layout.ranges.length,
      status: 'online',
      parents,
      _ts: info.ts,
    };
  });
}

/** `GET .../pkranges`: the ranges of a container, as a feed whose etag changes when they do. */
export async function listPartitionRanges(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const { info, layout } = container;
    const etag = `"${layout.ranges.map(({ id }) => id).join('-')}"`;
    const headers = ['x-ms-request-charge', chargeHeader(READ_CHARGE), 'etag', etag];
    if (header(context.headers, 'if-none-match') === etag) {
      return { status: 304, headers, body: undefined };
    }
    const ranges = rangesJson(container);
    return jsonReply(200, feedBody(info.rid, 'PartitionKeyRanges', ranges), [...headers, 'x-ms-item-count', String(ranges.length)]);
  });
}
