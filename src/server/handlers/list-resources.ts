import { findOwner } from '../catalog/find-owner.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../catalog/resource-kind.ts';
import { resourceView } from '../catalog/resource-view.ts';
import type { Handler } from '../handler.ts';
import { resourceFeed } from '../resource-feed.ts';

/** `GET` on a feed of users, permissions, keys or scripts, and `POST` there with a query. */
export function listResources(kind: ResourceKind): Handler {
  return async (context) => {
    const owner = await findOwner(context, kind);
    const resources = await context.server.catalog.list(kind, owner);
    const views = await Promise.all(
      resources.map(async (resource) => ({ ordinal: resource.number, json: await resourceView(context, kind, owner, resource) })),
    );
    return resourceFeed(context, owner.rid, RESOURCE_KINDS[kind].member, views);
  };
}
