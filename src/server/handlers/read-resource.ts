import { findOwner } from '../catalog/find-owner.ts';
import type { ResourceKind } from '../catalog/resource-kind.ts';
import { resourceView } from '../catalog/resource-view.ts';
import { resourceReply } from '../feed-reply.ts';
import { checkIfNoneMatch } from '../if-match.ts';
import type { Handler } from '../handler.ts';

/** `GET` on a user, permission, key or script. */
export function readResource(kind: ResourceKind): Handler {
  return async (context) => {
    const owner = await findOwner(context, kind);
    const resource = await context.server.catalog.read(kind, owner, context.id);
    checkIfNoneMatch(context.headers, resource.etag);
    return resourceReply(200, await resourceView(context, kind, owner, resource));
  };
}
