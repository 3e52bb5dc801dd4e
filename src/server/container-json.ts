import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, setOwn, type JsonObject, type JsonValue } from '../core/json.ts';
import type { ContainerInfo, DatabaseInfo } from '../store/backend.ts';
import type { ComputedProperty, ContainerDefinition, ContainerInput } from '../store/container-definition.ts';
import { containerSelf, databaseSelf } from '../store/resource-id.ts';
import { checkContainerPolicies, checkUniqueKeys } from './check-container-policies.ts';

/** Members of a container's body that the definition has fields for, or that the server writes. All others are kept as they are. */
const KNOWN_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'partitionKey',
  'defaultTtl',
  'uniqueKeyPolicy',
  'indexingPolicy',
  'computedProperties',
  'changeFeedPolicy',
  '_rid',
  '_ts',
  '_self',
  '_etag',
  '_docs',
  '_sprocs',
  '_triggers',
  '_udfs',
  '_conflicts',
  'statistics',
]);

/** Where the definition keeps what is the server's own: the throughput, and whether the container was made without a partition key. */
const OWN_MEMBER = 'perigee';

/** Path of containers that were made without a partition key. */
const SYSTEM_KEY_PATH = '/_partitionKey';

/** What the server keeps with a container beside its definition. Throughputs are those of older stores: an offer of the catalog goes before them. */
export interface ServerExtra {
  readonly throughput?: number;
  readonly autoscaleMaxThroughput?: number;
  readonly systemKey?: boolean;
}

/** What the server kept with a container. */
export function serverExtra(definition: ContainerDefinition): ServerExtra {
  const own = definition.extra[OWN_MEMBER];
  return isJsonObject(own) ? (own as ServerExtra) : {};
}

function uniqueKeysOf(body: JsonObject): readonly (readonly string[])[] | undefined {
  const policy = body['uniqueKeyPolicy'];
  if (policy === undefined || policy === null) {
    return undefined;
  }
  const keys = isJsonObject(policy) ? (policy['uniqueKeys'] ?? []) : undefined;
  if (!Array.isArray(keys) || !keys.every((key: unknown) => isJsonObject(key) && isTexts(key['paths']))) {
    throw new PerigeeError('INVALID_CONTAINER', 'The member uniqueKeyPolicy has the form {"uniqueKeys":[{"paths":["/a"]}]}.');
  }
  const paths = (keys as readonly JsonObject[]).map((key) => key['paths'] as unknown as readonly string[]);
  checkUniqueKeys(paths);
  return paths;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function partitionKeyInput(body: JsonObject, current: ContainerDefinition | undefined): ContainerInput['partitionKey'] {
  const given = body['partitionKey'];
  if (given === undefined) {
    return current?.partitionKey ?? { paths: [SYSTEM_KEY_PATH], version: 1 };
  }
  if (!isJsonObject(given) || !isTexts(given['paths'])) {
    throw new PerigeeError('INVALID_CONTAINER', 'The member partitionKey has the form {"paths":["/key"],"kind":"Hash","version":2}.');
  }
  // Clients that name no version hash by the first, as the service does.
  const version = given['version'] ?? current?.partitionKey.version ?? 1;
  return { paths: given['paths'], version: version as 1 | 2 | undefined };
}

function computedProperties(body: JsonObject): readonly ComputedProperty[] | undefined {
  const given = body['computedProperties'];
  if (given === undefined) {
    return undefined;
  }
  const isProperty = (item: unknown): boolean =>
    isJsonObject(item) && typeof item['name'] === 'string' && typeof item['query'] === 'string';
  if (!Array.isArray(given) || !given.every(isProperty)) {
    throw new PerigeeError('INVALID_CONTAINER', 'The member computedProperties is a list of {"name":"...","query":"SELECT VALUE ..."}.');
  }
  return given as unknown as readonly ComputedProperty[];
}

/**
 * A container definition from the body of a request.
 *
 * @param current the definition that it replaces
 * @throws INVALID_CONTAINER, BAD_REQUEST; more is checked by the backend
 */
export function containerInput(body: JsonObject, own: ServerExtra, current?: ContainerDefinition): ContainerInput {
  const extra = {};
  for (const [key, value] of Object.entries(body)) {
    if (!KNOWN_MEMBERS.has(key) && key !== OWN_MEMBER) {
      setOwn(extra, key, value);
    }
  }
  const kept: ServerExtra = body['partitionKey'] === undefined && current === undefined ? { ...own, systemKey: true } : own;
  if (Object.keys(kept).length > 0) {
    setOwn(extra, OWN_MEMBER, kept);
  }
  checkContainerPolicies(body);
  const indexingPolicy = body['indexingPolicy'];
  if (indexingPolicy !== undefined && !isJsonObject(indexingPolicy)) {
    throw new PerigeeError('INVALID_CONTAINER', 'The member indexingPolicy is an object.');
  }
  return {
    id: body['id'] as string,
    partitionKey: partitionKeyInput(body, current),
    defaultTtl: body['defaultTtl'] as number | undefined,
    uniqueKeys: uniqueKeysOf(body),
    indexingPolicy,
    computedProperties: computedProperties(body),
    changeFeedPolicy: body['changeFeedPolicy'] as ContainerInput['changeFeedPolicy'],
    extra,
  };
}

/** A container as clients see it. */
export function containerJson(info: ContainerInfo): JsonObject {
  const { definition } = info;
  const { defaultTtl, computedProperties: computed, changeFeedPolicy, extra } = definition;
  const json: Record<string, JsonValue> = {
    id: definition.id,
    indexingPolicy: definition.indexingPolicy,
    partitionKey: {
      paths: definition.partitionKey.paths,
      kind: definition.partitionKey.kind,
      version: definition.partitionKey.version,
      ...(serverExtra(definition).systemKey === true ? { systemKey: true } : {}),
    },
    ...(defaultTtl === undefined ? {} : { defaultTtl }),
    ...(definition.uniqueKeys.length === 0 ? {} : { uniqueKeyPolicy: { uniqueKeys: definition.uniqueKeys.map((paths) => ({ paths })) } }),
    conflictResolutionPolicy: { mode: 'LastWriterWins', conflictResolutionPath: '/_ts', conflictResolutionProcedure: '' },
    geospatialConfig: { type: 'Geography' },
    ...(computed.length === 0 ? {} : { computedProperties: computed.map(({ name, query }) => ({ name, query })) }),
    ...(changeFeedPolicy === undefined ? {} : { changeFeedPolicy: { ...changeFeedPolicy } }),
  };
  for (const [key, value] of Object.entries(extra)) {
    if (key !== OWN_MEMBER && value !== undefined) {
      setOwn(json, key, value);
    }
  }
  return {
    ...json,
    _rid: info.rid,
    _ts: info.ts,
    _self: containerSelf(info.rid),
    _etag: info.etag,
    _docs: 'docs/',
    _sprocs: 'sprocs/',
    _triggers: 'triggers/',
    _udfs: 'udfs/',
    _conflicts: 'conflicts/',
  };
}

/** A database as clients see it. */
export function databaseJson(info: DatabaseInfo): JsonObject {
  return {
    id: info.id,
    _rid: info.rid,
    _self: databaseSelf(info.rid),
    _etag: info.etag,
    _colls: 'colls/',
    _users: 'users/',
    _ts: info.ts,
  };
}
