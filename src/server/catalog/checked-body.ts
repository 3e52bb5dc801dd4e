import { permissionTarget } from '../access/permission-target.ts';
import { tokenLifeSeconds } from '../access/permission-token.ts';
import type { RequestContext } from '../server-context.ts';
import { checkResource } from './check-resource.ts';
import type { ResourceKind } from './resource-kind.ts';
import type { CatalogOwner, ResourceDraft } from './server-catalog.ts';

/** The resource in the body of a request, checked before anything is written, with what the answer to it needs. @throws BAD_REQUEST, NOT_FOUND */
export async function checkedBody(context: RequestContext, kind: ResourceKind, owner: CatalogOwner): Promise<ResourceDraft> {
  const checked = checkResource(kind, context.jsonObject());
  if (kind !== 'permissions') {
    return checked;
  }
  const { container, child, partitionKey } = await permissionTarget(context.server, owner.databaseRid, checked.members);
  tokenLifeSeconds(context);
  return { ...checked, target: JSON.stringify([container, child?.type, child?.id, partitionKey]) };
}
