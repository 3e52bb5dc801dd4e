import { deletedReply } from '../feed-reply.ts';
import { checkIfMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `DELETE /dbs/{database}`: deletes a database and all it holds. */
export async function deleteDatabase(context: RequestContext): Promise<Reply> {
  const { backend, containers, catalog } = context.server;
  const { id, rid, etag } = await containers.database(context.id);
  checkIfMatch(context.headers, etag);
  await backend.deleteDatabase(id);
  containers.drop(id);
  await catalog.forget(rid);
  return deletedReply();
}
