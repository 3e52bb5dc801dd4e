import { resourceReply } from '../feed-reply.ts';
import { offerJson } from '../offer-json.ts';
import { containerOfOffer } from '../offers.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /offers/{id}` */
export async function readOffer(context: RequestContext): Promise<Reply> {
  return resourceReply(200, offerJson(await containerOfOffer(context)));
}
