import { offerJson } from '../offer-json.ts';
import { allContainers } from '../offers.ts';
import type { Reply } from '../reply.ts';
import { resourceFeed } from '../resource-feed.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /offers`, and `POST /offers` with a query. */
export async function listOffers(context: RequestContext): Promise<Reply> {
  const offers = (await allContainers(context)).map(offerJson);
  return resourceFeed(context, '', 'Offers', offers);
}
