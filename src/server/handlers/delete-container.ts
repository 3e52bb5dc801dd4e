import { containerOwner } from '../catalog/find-owner.ts';
import { deletedReply } from '../feed-reply.ts';
import { checkIfMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `DELETE /dbs/{database}/colls/{container}`: deletes a container and its documents. */
export async function deleteContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers, catalog } = context.server;
  const info = await context.containerInfo();
  checkIfMatch(context.headers, info.etag);
  await backend.deleteContainer(info.databaseId, info.definition.id);
  containers.drop(info.databaseId, info.definition.id);
  const { databaseRid, rid } = containerOwner(info);
  await catalog.forget(databaseRid, rid);
  return deletedReply();
}
