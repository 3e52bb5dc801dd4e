import { offerJson } from '../offers/offer-json.ts';
import type { Reply } from '../reply.ts';
import { resourceFeed } from '../resource-feed.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /offers`, and `POST /offers` with a query. */
export async function listOffers(context: RequestContext): Promise<Reply> {
  const offers = (await context.server.offers.list()).map((offer, index) => ({ ordinal: index + 1, json: offerJson(offer) }));
  return resourceFeed(context, '', 'Offers', offers);
}
