import type { ContainerRequest } from '@azure/cosmos';
import { isJsonObject, setOwn, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { defineContainer, type ComputedProperty, type ContainerDefinition, type ContainerInput } from '../../store/container-definition.ts';

/** Members of a container's resource that a definition has under another name, or that the service writes. */
const NOT_EXTRA: ReadonlySet<string> = new Set([
  'id',
  'partitionKey',
  'defaultTtl',
  'uniqueKeyPolicy',
  'indexingPolicy',
  'computedProperties',
  'changeFeedPolicy',
  '_rid',
  '_self',
  '_etag',
  '_ts',
  '_docs',
  '_sprocs',
  '_triggers',
  '_udfs',
  '_conflicts',
]);

/** What the service adds to every container that does not say otherwise. */
const SERVICE_DEFAULTS: Readonly<Record<string, string>> = {
  geospatialConfig: '{"type":"Geography"}',
  conflictResolutionPolicy: '{"mode":"LastWriterWins","conflictResolutionPath":"/_ts","conflictResolutionProcedure":""}',
};

function extraOf(resource: JsonObject): JsonObject {
  const extra = {};
  for (const name of Object.keys(resource)) {
    const value = resource[name];
    if (!NOT_EXTRA.has(name) && JSON.stringify(value) !== SERVICE_DEFAULTS[name]) {
      setOwn(extra, name, value);
    }
  }
  return extra;
}

function uniqueKeysOf(policy: JsonValue | undefined): readonly (readonly string[])[] {
  const keys = isJsonObject(policy) ? policy['uniqueKeys'] : undefined;
  return Array.isArray(keys) ? keys.map((key: JsonValue) => (isJsonObject(key) ? (key['paths'] as readonly string[]) : [])) : [];
}

/** The resource of the wire protocol as a definition. @throws INVALID_CONTAINER for what no container can be */
export function definitionOf(resource: JsonObject): ContainerDefinition {
  return defineContainer({
    id: resource['id'] as string,
    partitionKey: resource['partitionKey'] as unknown as ContainerInput['partitionKey'],
    defaultTtl: (resource['defaultTtl'] ?? undefined) as number | undefined,
    uniqueKeys: uniqueKeysOf(resource['uniqueKeyPolicy']),
    indexingPolicy: resource['indexingPolicy'] as JsonObject | undefined,
    computedProperties: (resource['computedProperties'] ?? []) as unknown as readonly ComputedProperty[],
    changeFeedPolicy: (resource['changeFeedPolicy'] ?? undefined) as ContainerInput['changeFeedPolicy'],
    extra: extraOf(resource),
  });
}

/** A definition as the body of a create or replace request. */
export function resourceOf(definition: ContainerDefinition): ContainerRequest {
  const { id, partitionKey, defaultTtl, uniqueKeys, indexingPolicy, computedProperties, changeFeedPolicy, extra } = definition;
  const { paths, kind, version } = partitionKey;
  const body = {
    ...extra,
    id,
    partitionKey: { paths, kind, version },
    ...(defaultTtl === undefined ? {} : { defaultTtl }),
    ...(uniqueKeys.length === 0 ? {} : { uniqueKeyPolicy: { uniqueKeys: uniqueKeys.map((key) => ({ paths: key })) } }),
    indexingPolicy,
    ...(computedProperties.length === 0 ? {} : { computedProperties }),
    ...(changeFeedPolicy === undefined ? {} : { changeFeedPolicy }),
  };
  return body as unknown as ContainerRequest;
}

/** Whether a value is a resource of the service: it has an id, a resource id, an etag and a time. */
export function isResource(
  value: unknown,
): value is JsonObject & { readonly id: string; readonly _rid: string; readonly _etag: string; readonly _ts: number } {
  return (
    isJsonObject(value) &&
    typeof value['id'] === 'string' &&
    typeof value['_rid'] === 'string' &&
    typeof value['_etag'] === 'string' &&
    typeof value['_ts'] === 'number'
  );
}

/** A database's resource as it is read. */
export function databaseInfo(resource: {
  readonly id: string;
  readonly _rid: string;
  readonly _etag: string;
  readonly _ts: number;
}): DatabaseInfo {
  return { id: resource.id, rid: resource._rid, etag: resource._etag, ts: resource._ts };
}

/** A container's resource as it is read. */
export function containerInfo(
  databaseId: string,
  resource: JsonObject & { readonly _rid: string; readonly _etag: string; readonly _ts: number },
): ContainerInfo {
  return { databaseId, rid: resource._rid, etag: resource._etag, ts: resource._ts, definition: definitionOf(resource) };
}

/** The part of a container's resource that the SDK asks for by itself, and the path of that request. */
export function localContainer(container: ContainerInfo): { readonly path: string; readonly body: string } {
  const { id } = container.definition;
  return {
    path: `/${encodeURI(`dbs/${container.databaseId}/colls/${id}`)}`,
    body: JSON.stringify({ id, _rid: container.rid, partitionKey: resourceOf(container.definition).partitionKey }),
  };
}
