import { checkedBody } from '../catalog/checked-body.ts';
import { findOwner } from '../catalog/find-owner.ts';
import type { ResourceKind } from '../catalog/resource-kind.ts';
import { RESOURCE_KINDS } from '../catalog/resource-kind.ts';
import { resourceView } from '../catalog/resource-view.ts';
import { resourceReply } from '../feed-reply.ts';
import type { Handler } from '../handler.ts';
import { isTrue } from '../wire-headers.ts';

/** `POST` on a feed of users, permissions, keys or scripts: creates one, or upserts it where the header says so. */
export function createResource(kind: ResourceKind): Handler {
  return async (context) => {
    const { catalog } = context.server;
    const owner = await findOwner(context, kind);
    const draft = await checkedBody(context, kind, owner);
    const { resource, created } =
      RESOURCE_KINDS[kind].upserts && isTrue(context.headers, 'x-ms-documentdb-is-upsert')
        ? await catalog.upsert(kind, owner, draft)
        : { resource: await catalog.create(kind, owner, draft), created: true };
    context.server.containers.refresh(owner.rid);
    return resourceReply(created ? 201 : 200, await resourceView(context, kind, owner, resource));
  };
}
