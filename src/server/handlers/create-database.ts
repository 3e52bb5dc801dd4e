import { databaseJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `POST /dbs`: creates a database. A throughput for the whole database is taken and not kept: containers have their own. */
export async function createDatabase(context: RequestContext): Promise<Reply> {
  const { id } = context.jsonObject();
  return resourceReply(201, databaseJson(await context.server.backend.createDatabase(id as string)));
}
