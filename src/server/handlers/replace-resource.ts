import { checkedBody } from '../catalog/checked-body.ts';
import { findOwner } from '../catalog/find-owner.ts';
import type { ResourceKind } from '../catalog/resource-kind.ts';
import { resourceView } from '../catalog/resource-view.ts';
import { resourceReply } from '../feed-reply.ts';
import type { Handler } from '../handler.ts';
import { header } from '../wire-headers.ts';

/** `PUT` on a user, permission, key or script: replaces it, and renames it where the body has another id. */
export function replaceResource(kind: ResourceKind): Handler {
  return async (context) => {
    const owner = await findOwner(context, kind);
    const draft = await checkedBody(context, kind, owner);
    const ifMatch = header(context.headers, 'if-match');
    const resource = await context.server.catalog.replace(kind, owner, context.id, draft, ifMatch);
    context.server.containers.refresh(owner.rid);
    return resourceReply(200, await resourceView(context, kind, owner, resource));
  };
}
