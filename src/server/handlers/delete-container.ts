import { deletedReply } from '../feed-reply.ts';
import { checkIfMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `DELETE /dbs/{database}/colls/{container}`: deletes a container and its documents. */
export async function deleteContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const { databaseId, definition, etag } = await containers.containerInfo(context.name(0), context.id);
  checkIfMatch(context.headers, etag);
  await backend.deleteContainer(databaseId, definition.id);
  containers.drop(databaseId, definition.id);
  return deletedReply();
}
