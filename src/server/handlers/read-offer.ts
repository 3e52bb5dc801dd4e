import { resourceReply } from '../feed-reply.ts';
import { checkIfNoneMatch } from '../if-match.ts';
import { offerJson } from '../offers/offer-json.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /offers/{id}` */
export async function readOffer(context: RequestContext): Promise<Reply> {
  const offer = await context.server.offers.read(context.id);
  checkIfNoneMatch(context.headers, offer.etag);
  return resourceReply(200, offerJson(offer));
}
