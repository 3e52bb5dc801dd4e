import { databaseJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /dbs/{database}` */
export async function readDatabase(context: RequestContext): Promise<Reply> {
  return resourceReply(200, databaseJson(await context.server.containers.database(context.id)));
}
