import { inputOf, serverExtra } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { offerJson, throughputOfBody } from '../offer-json.ts';
import { containerOfOffer } from '../offers.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `PUT /offers/{id}`: changes the throughput that a container is said to have. */
export async function replaceOffer(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const current = await containerOfOffer(context);
  const { databaseId, definition } = current;
  const { systemKey } = serverExtra(definition);
  const own = { ...throughputOfBody(context.jsonObject(), current), ...(systemKey === undefined ? {} : { systemKey }) };
  const info = await backend.replaceContainer(databaseId, inputOf(definition, own));
  containers.drop(databaseId, definition.id);
  return resourceReply(200, offerJson(info));
}
