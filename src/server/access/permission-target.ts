import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { normalizePartitionKey, parsePartitionKeyText, partitionKeyOf, type PartitionKey } from '../../store/partition-key.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { parseDocumentRid } from '../../store/resource-id.ts';
import { containerOwner } from '../catalog/find-owner.ts';
import type { CatalogResource } from '../catalog/server-catalog.ts';
import type { OpenContainer } from '../container-registry.ts';
import type { ServerContext } from '../server-context.ts';
import type { ResourceGrant } from './access.ts';
import { grantKey } from './granted-key.ts';

/** What a permission is about, bound to resource ids. */
export type PermissionTarget = Pick<ResourceGrant, 'container' | 'names' | 'child' | 'partitionKey'>;

const FORM =
  'The member resource of a permission is dbs/{database}/colls/{container}, or that of a document, stored procedure, trigger or udf below it.';

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** What a link names: as it is written, or else decoded, since names may be encoded or not. @throws what the last `read` throws */
async function asWrittenOrDecoded<R>(names: readonly string[], read: (names: readonly string[]) => Promise<R>): Promise<R> {
  try {
    return await read(names);
  } catch (error) {
    const others = names.map(decoded);
    if (!isPerigeeError(error, 'NOT_FOUND') || others.every((other, index) => other === names[index])) {
      throw error;
    }
    return read(others);
  }
}

/** The container that a link names. @throws NOT_FOUND */
async function findContainer({ containers }: ServerContext, database: string, container: string): Promise<readonly [string, string]> {
  try {
    const { databaseId, definition } = await asWrittenOrDecoded([database, container], ([one, other]) =>
      containers.containerInfo(one as string, other as string),
    );
    return [databaseId, definition.id];
  } catch (cause) {
    throw isPerigeeError(cause, 'NOT_FOUND')
      ? new PerigeeError('NOT_FOUND', 'Resource Not Found: the container that the permission is about does not exist.', { cause })
      : cause;
  }
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
    const key = keyOf(permission, open);
    const { rid, databaseId, definition } = open.info;
    const target: PermissionTarget = {
      container: rid,
      names: [databaseId, definition.id],
      child: undefined,
      partitionKey: key === undefined ? undefined : grantKey(key),
    };
    return type === undefined ? target : withChild(server, open, target, type, name as string, key);
  });
}

/** The partition key that a permission is limited to: a list, in which `{}` stands for a missing level, or the text of a single one. */
function keyOf({ resourcePartitionKey: given }: JsonObject, { partitionKeyPaths }: OpenContainer): PartitionKey | undefined {
  return given === undefined
    ? undefined
    : normalizePartitionKey(parsePartitionKeyText(JSON.stringify(Array.isArray(given) ? given : [given])), partitionKeyPaths.length, true);
}

async function withChild(
  server: ServerContext,
  container: OpenContainer,
  target: PermissionTarget,
  type: string,
  name: string,
  key: PartitionKey | undefined,
): Promise<PermissionTarget> {
  switch (type) {
    case 'sprocs':
    case 'triggers':
    case 'udfs': {
      const { id } = await findScript(server, container, type, name);
      return { ...target, child: { type, id, rid: undefined } };
    }
    case 'docs':
      return documentTarget(container, target, name, key);
    default:
      throw new PerigeeError('BAD_REQUEST', FORM);
  }
}

/** The script that a link names. @throws NOT_FOUND */
function findScript(
  { catalog }: ServerContext,
  { info }: OpenContainer,
  kind: 'sprocs' | 'triggers' | 'udfs',
  name: string,
): Promise<CatalogResource> {
  return asWrittenOrDecoded([name], ([one]) => catalog.read(kind, containerOwner(info), one as string));
}

/** A document by resource id has one partition key; by name it needs to be told, for another key may hold the same id. */
async function documentTarget(
  container: OpenContainer,
  target: PermissionTarget,
  name: string,
  key: PartitionKey | undefined,
): Promise<PermissionTarget> {
  const { store, partitionKeyPaths, hasSystemKey, info } = container;
  if (parseDocumentRid(name)?.container === info.rid) {
    const query = { query: 'SELECT * FROM c WHERE c._rid = @rid', parameters: [{ name: '@rid', value: name }] };
    const [document] = await store.query<JsonObject & { readonly id: string }>(query).toArray();
    if (document === undefined) {
      throw new PerigeeError('NOT_FOUND', 'Resource Not Found: the document that the permission is about does not exist.');
    }
    const partitionKey = grantKey(partitionKeyOf(document, partitionKeyPaths));
    return { ...target, child: { type: 'docs', id: document.id, rid: name }, partitionKey };
  }
  if (hasSystemKey) {
    return { ...target, child: { type: 'docs', id: await idOfName(store, [undefined], name), rid: undefined } };
  }
  if (key?.length !== partitionKeyPaths.length) {
    throw new PerigeeError('BAD_REQUEST', 'A permission on a document by name has its partition key in the member resourcePartitionKey.');
  }
  return { ...target, child: { type: 'docs', id: await idOfName(store, key, name), rid: undefined } };
}

/** The id that a link means: as it is written, unless only the decoded one is there. */
async function idOfName(store: DocumentStore, key: PartitionKey, name: string): Promise<string> {
  const other = decoded(name);
  if (other === name || (await store.read(name, key)) !== undefined) {
    return name;
  }
  return (await store.read(other, key)) === undefined ? name : other;
}
