import { findOwner } from '../catalog/find-owner.ts';
import type { ResourceKind } from '../catalog/resource-kind.ts';
import { deletedReply } from '../feed-reply.ts';
import type { Handler } from '../handler.ts';
import { header } from '../wire-headers.ts';

/** `DELETE` on a user (and its permissions), permission, key or script. */
export function deleteResource(kind: ResourceKind): Handler {
  return async (context) => {
    const { catalog, containers } = context.server;
    const owner = await findOwner(context, kind);
    const { rid } = await catalog.delete(kind, owner, context.id, header(context.headers, 'if-match'));
    if (kind === 'users') {
      await catalog.forget(owner.databaseRid, rid);
    }
    containers.refresh(owner.rid);
    return deletedReply();
  };
}
