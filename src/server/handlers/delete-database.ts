import { deletedReply } from '../feed-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `DELETE /dbs/{database}`: deletes a database and all it holds. */
export async function deleteDatabase(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const { id } = await containers.database(context.id);
  await backend.deleteDatabase(id);
  containers.drop(id);
  return deletedReply();
}
