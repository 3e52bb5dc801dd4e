import { databaseJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { checkIfNoneMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /dbs/{database}` */
export async function readDatabase(context: RequestContext): Promise<Reply> {
  const database = await context.server.containers.database(context.id);
  checkIfNoneMatch(context.headers, database.etag);
  return resourceReply(200, databaseJson(database));
}
