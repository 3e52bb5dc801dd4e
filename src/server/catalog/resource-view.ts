import type { JsonObject } from '../../core/json.ts';
import { permissionToken } from '../access/permission-token.ts';
import type { RequestContext } from '../server-context.ts';
import { catalogJson } from './catalog-json.ts';
import type { ResourceKind } from './resource-kind.ts';
import type { CatalogOwner, CatalogResource } from './server-catalog.ts';

/** A resource of the catalog as clients see it; each look at a permission comes with a new token. */
export async function resourceView(
  context: RequestContext,
  kind: ResourceKind,
  owner: CatalogOwner,
  resource: CatalogResource,
): Promise<JsonObject> {
  if (kind !== 'permissions') {
    return catalogJson(kind, resource);
  }
  const token = await permissionToken(context, owner, resource);
  return catalogJson(kind, resource, token === undefined ? {} : { _token: token });
}
