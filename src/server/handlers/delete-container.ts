import { containerOwner } from '../catalog/find-owner.ts';
import { deletedReply } from '../feed-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `DELETE /dbs/{database}/colls/{container}`: deletes a container and its documents. */
export async function deleteContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers, catalog } = context.server;
  const info = await context.containerInfo();
  await backend.deleteContainer(info.databaseId, info.definition.id, { ifMatch: header(context.headers, 'if-match') });
  containers.drop(info.databaseId, info.definition.id);
  const { databaseRid, rid } = containerOwner(info);
  await catalog.forget(databaseRid, rid);
  return deletedReply();
}
