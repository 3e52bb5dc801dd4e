import { containerInput, containerJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { throughputOfHeaders } from '../offer-json.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `POST /dbs/{database}/colls`: creates a container. */
export async function createContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const database = await containers.database(context.name(0));
  const throughput = throughputOfHeaders(
    header(context.headers, 'x-ms-offer-throughput'),
    header(context.headers, 'x-ms-cosmos-offer-autopilot-settings'),
  );
  const info = await backend.createContainer(database.id, containerInput(context.jsonObject(), throughput));
  return resourceReply(201, containerJson(info));
}
