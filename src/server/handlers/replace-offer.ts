import { PerigeeError } from '../../core/errors.ts';
import { resourceReply } from '../feed-reply.ts';
import { checkIfMatch } from '../if-match.ts';
import { offerJson } from '../offers/offer-json.ts';
import { partitionsFor, replacedThroughput } from '../offers/throughput.ts';
import { growLayout } from '../partitions/partition-layout.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header, isTrue } from '../wire-headers.ts';

/** `PUT /offers/{id}`: changes a throughput. A container that needs more ranges for it has them when the answer comes. */
export async function replaceOffer(context: RequestContext): Promise<Reply> {
  const { offers, layouts, containers } = context.server;
  const current = await offers.read(context.id);
  checkIfMatch(context.headers, current.etag);
  const body = context.jsonObject();
  if (body['offerResourceId'] !== current.owner.rid || (body['_rid'] !== undefined && body['_rid'] !== current.id)) {
    throw new PerigeeError('BAD_REQUEST', 'The offer in the body is not the one in the path.');
  }
  const throughput = replacedThroughput(current.throughput, body['content'], {
    toAutoscale: isTrue(context.headers, 'x-ms-cosmos-migrate-offer-to-autopilot'),
    toManual: isTrue(context.headers, 'x-ms-cosmos-migrate-offer-to-manual-throughput'),
  });
  const offer = await offers.replace(current, throughput, header(context.headers, 'if-match'));
  const { container } = current;
  if (container !== undefined) {
    const { partitionKey } = container.definition;
    await layouts.change(container, (layout) => growLayout(layout, partitionsFor(throughput), partitionKey));
  }
  containers.refresh(current.owner.rid);
  return resourceReply(200, offerJson(offer));
}
