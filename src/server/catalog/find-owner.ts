import { databaseSelf, containerSelf } from '../../store/resource-id.ts';
import type { ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { parseContainerRid } from '../../store/resource-id.ts';
import type { RequestContext } from '../server-context.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource-kind.ts';
import type { CatalogOwner } from './server-catalog.ts';

/** A database as an owner in the catalog. */
export function databaseOwner({ rid }: Pick<DatabaseInfo, 'rid'>): CatalogOwner {
  return { databaseRid: rid, rid, self: databaseSelf(rid) };
}

/** A container as an owner in the catalog. */
export function containerOwner({ rid }: Pick<ContainerInfo, 'rid'>): CatalogOwner {
  return { databaseRid: parseContainerRid(rid)?.database ?? '', rid, self: containerSelf(rid) };
}

/** The database, user or container in the path of a request to which resources of a kind belong. @throws NOT_FOUND */
export async function findOwner(context: RequestContext, kind: ResourceKind): Promise<CatalogOwner> {
  const { containers, catalog } = context.server;
  switch (RESOURCE_KINDS[kind].owner) {
    case 'database':
      return databaseOwner(await containers.database(context.name(0)));
    case 'container':
      return containerOwner(await context.containerInfo());
    default: {
      const owner = databaseOwner(await containers.database(context.name(0)));
      const user = await catalog.read('users', owner, context.name(1));
      return { databaseRid: owner.databaseRid, rid: user.rid, self: user.self };
    }
  }
}
