import { parseContainerRid } from '../../store/resource-id.ts';
import { containerJson } from '../container-json.ts';
import type { Reply } from '../reply.ts';
import { resourceFeed } from '../resource-feed.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /dbs/{database}/colls`, and `POST` there with a query. */
export async function listContainers(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const database = await containers.database(context.name(0));
  const found = (await backend.listContainers(database.id)).map((info) => ({
    ordinal: parseContainerRid(info.rid)?.n as number,
    json: containerJson(info),
  }));
  return resourceFeed(context, database.rid, 'DocumentCollections', found);
}
