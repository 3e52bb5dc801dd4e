import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { partitionKeyOf, partitionKeyText, normalizePartitionKey, type PartitionKeyInput } from '../../store/partition-key.ts';
import { parseDocumentRid } from '../../store/resource-id.ts';
import { containerOwner } from '../catalog/find-owner.ts';
import type { OpenContainer } from '../container-registry.ts';
import type { ServerContext } from '../server-context.ts';
import type { ResourceGrant } from './access.ts';

/** What a permission is about, bound to resource ids. */
export type PermissionTarget = Pick<ResourceGrant, 'container' | 'child' | 'partitionKey'>;

const FORM =
  'The member resource of a permission is dbs/{database}/colls/{container}, or that of a document, stored procedure, trigger or udf below it.';

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The container that a link names; names may be encoded or not. */
async function findContainer(server: ServerContext, database: string, container: string): Promise<readonly [string, string]> {
  for (const [one, other] of [
    [database, container],
    [decoded(database), decoded(container)],
  ] as const) {
    const found = await server.containers.containerInfo(one, other).catch((error: unknown) => error);
    if (!(found instanceof Error)) {
      return [one, other];
    }
  }
  throw new PerigeeError('NOT_FOUND', 'Resource Not Found: the container that the permission is about does not exist.');
}

/**
 * Finds what a permission is about.
 *
 * @param databaseRid of the user's database, outside of which permissions do not reach
 * @throws BAD_REQUEST, NOT_FOUND
 */
export async function permissionTarget(server: ServerContext, databaseRid: string, permission: JsonObject): Promise<PermissionTarget> {
  const { resource } = permission;
  const parts = (typeof resource === 'string' ? resource : '').split('/').filter((part) => part !== '');
  const [dbs, database, colls, container, type, name] = parts;
  if (dbs !== 'dbs' || database === undefined || colls !== 'colls' || container === undefined || parts.length === 5 || parts.length > 6) {
    throw new PerigeeError('BAD_REQUEST', FORM);
  }
  const names = await findContainer(server, database, container);
  return server.containers.use(names[0], names[1], async (open) => {
    if (containerOwner(open.info).databaseRid !== databaseRid) {
      throw new PerigeeError('BAD_REQUEST', 'A permission is about something in the database of its user.');
    }
    const key = permission['resourcePartitionKey'];
    const partitionKey =
      key === undefined
        ? undefined
        : partitionKeyText(normalizePartitionKey(key as PartitionKeyInput, open.partitionKeyPaths.length, true));
    const target = { container: open.info.rid, child: undefined, partitionKey };
    return type === undefined ? target : withChild(server, open, target, type, name as string);
  });
}

async function withChild(
  server: ServerContext,
  container: OpenContainer,
  target: PermissionTarget,
  type: string,
  name: string,
): Promise<PermissionTarget> {
  switch (type) {
    case 'sprocs':
    case 'triggers':
    case 'udfs': {
      const { id } = await server.catalog.read(type, containerOwner(container.info), name);
      return { ...target, child: { type, id } };
    }
    case 'docs':
      return documentTarget(container, target, name);
    default:
      throw new PerigeeError('BAD_REQUEST', FORM);
  }
}

/** A document by resource id has one partition key; by name it needs to be told, for another key may hold the same id. */
async function documentTarget(container: OpenContainer, target: PermissionTarget, name: string): Promise<PermissionTarget> {
  if (parseDocumentRid(name)?.container === container.info.rid) {
    const query = { query: 'SELECT * FROM c WHERE c._rid = @rid', parameters: [{ name: '@rid', value: name }] };
    const [document] = await container.store.query<JsonObject & { readonly id: string }>(query).toArray();
    if (document === undefined) {
      throw new PerigeeError('NOT_FOUND', 'Resource Not Found: the document that the permission is about does not exist.');
    }
    const partitionKey = partitionKeyText(partitionKeyOf(document, container.partitionKeyPaths));
    return { ...target, child: { type: 'docs', id: document.id }, partitionKey };
  }
  if (target.partitionKey === undefined && !container.hasSystemKey) {
    throw new PerigeeError('BAD_REQUEST', 'A permission on a document by name has its partition key in the member resourcePartitionKey.');
  }
  return { ...target, child: { type: 'docs', id: decoded(name) } };
}
