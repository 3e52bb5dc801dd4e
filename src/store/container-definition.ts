import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { checkResourceName } from './ids.ts';
import { parsePropertyPath } from './partition-key.ts';
import { checkTtl } from './time-to-live.ts';

/** A computed property: a name at the top level and the query that gives its value. */
export interface ComputedProperty {
  readonly name: string;
  readonly query: string;
}

/** Partition key of a container in the form of Cosmos DB. */
export interface PartitionKeyDefinition {
  readonly paths: readonly string[];
  /** Hash version; 2 unless said otherwise. Several paths are always version 2. */
  readonly version: 1 | 2;
  readonly kind: 'Hash' | 'MultiHash';
}

/** For how long a container keeps every version of its documents, in the form of Cosmos DB. */
export interface ChangeFeedPolicy {
  /** Whole minutes from 1, for which the change feed of all versions and deletes goes back. */
  readonly retentionDuration: number;
}

/** What a caller gives to create or replace a container. */
export interface ContainerInput {
  readonly id: string;
  /** One path (`/userId`), one to three paths, or the form of Cosmos DB. Cannot change later. */
  readonly partitionKey: string | readonly string[] | { readonly paths: readonly string[]; readonly version?: 1 | 2 | undefined };
  /** Seconds after its last write at which a document expires; `-1`: only documents with a `ttl` of their own; absent: never. */
  readonly defaultTtl?: number | undefined;
  /** Each entry is a list of paths whose combined values are unique within a partition key. Cannot change later. */
  readonly uniqueKeys?: readonly (readonly string[])[] | undefined;
  /** Index policy in the form of Cosmos DB. */
  readonly indexingPolicy?: JsonObject | undefined;
  readonly computedProperties?: readonly ComputedProperty[] | undefined;
  /**
   * Lets the change feed deliver all versions and deletes, where `capabilities.allVersionsFeed` is true: recording starts when the container is
   * created or replaced with it, and what was recorded is gone when it is replaced without. A duration of 0 is the same as none.
   */
  readonly changeFeedPolicy?: ChangeFeedPolicy | undefined;
  /** Further members of the Cosmos DB definition (vector and full-text policies and so on), kept and returned as they are. */
  readonly extra?: JsonObject | undefined;
}

/** A checked container definition with every default filled in. */
export interface ContainerDefinition {
  readonly id: string;
  readonly partitionKey: PartitionKeyDefinition;
  readonly defaultTtl: number | undefined;
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly indexingPolicy: JsonObject;
  readonly computedProperties: readonly ComputedProperty[];
  readonly changeFeedPolicy: ChangeFeedPolicy | undefined;
  readonly extra: JsonObject;
}

const MAX_RETENTION_MINUTES = 2147483647;

/** Index policy of a container that names none: everything but `_etag`. */
export const DEFAULT_INDEXING_POLICY: JsonObject = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
};

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_CONTAINER', message);
}

/** Names in partition key paths with other characters are written in double quotes: `/"my key"`. */
const QUOTED_NAME = /(?<=\/)"(?:[^"\\]|\\.)*"/gu;
const INVALID_IN_PATH = /[\s\p{Cc}!"#%&'()*+,;<=>?[\\\]^`{|}~]/u;

const PATHS_MESSAGE = 'Partition key paths must contain only valid characters and not contain a trailing slash or wildcard character.';

function checkPartitionKey(input: ContainerInput['partitionKey']): PartitionKeyDefinition {
  const given =
    typeof input === 'string'
      ? { paths: [input] }
      : Array.isArray(input)
        ? { paths: input as readonly string[] }
        : (input as { readonly paths: readonly string[]; readonly version?: 1 | 2 });
  const paths = given?.paths;
  if (!Array.isArray(paths) || paths.length === 0 || paths.length > 3) {
    throw invalid('A container has one to three partition key paths.');
  }
  for (const path of paths as readonly unknown[]) {
    if (typeof path !== 'string' || !path.startsWith('/')) {
      throw invalid(`The partition key component definition path '${String(path)}' could not be accepted: a path starts with "/".`);
    }
    if (path.endsWith('/') || INVALID_IN_PATH.test(path.replaceAll(QUOTED_NAME, ''))) {
      throw invalid(PATHS_MESSAGE);
    }
    parsePropertyPath(path);
  }
  if (new Set(paths).size !== paths.length) {
    throw invalid('The partition key paths are not distinct.');
  }
  const version = given.version ?? 2;
  if ((version as unknown) !== 1 && (version as unknown) !== 2) {
    throw invalid('The partition key version is 1 or 2.');
  }
  return {
    paths: [...(paths as readonly string[])],
    version: paths.length > 1 ? 2 : version,
    kind: paths.length > 1 ? 'MultiHash' : 'Hash',
  };
}

function checkUniqueKeys(input: ContainerInput['uniqueKeys']): readonly (readonly string[])[] {
  return (input ?? []).map((paths) => {
    if (!Array.isArray(paths) || paths.length === 0) {
      throw invalid('A unique key lists one path or more.');
    }
    for (const path of paths as readonly string[]) {
      parsePropertyPath(path);
    }
    return [...(paths as readonly string[])];
  });
}

function checkIndexingPolicy(input: JsonObject | undefined): JsonObject {
  if (input === undefined) {
    return DEFAULT_INDEXING_POLICY;
  }
  if (!isJsonObject(input)) {
    throw invalid('The index policy is an object.');
  }
  const given = input['indexingMode'] ?? 'consistent';
  const mode = typeof given === 'string' ? given.toLowerCase() : '';
  if (mode !== 'consistent' && mode !== 'none' && mode !== 'lazy') {
    throw invalid('The indexing mode is consistent, lazy or none.');
  }
  if (mode === 'none') {
    return { ...input, indexingMode: mode, automatic: input['automatic'] ?? false };
  }
  const etagPath: JsonObject = { path: '/"_etag"/?' };
  const excluded = (Array.isArray(input['excludedPaths']) ? input['excludedPaths'] : []) as readonly JsonValue[];
  const included = (Array.isArray(input['includedPaths']) ? input['includedPaths'] : []) as readonly JsonValue[];
  const holds = (list: readonly JsonValue[], path: JsonValue): boolean =>
    list.some((entry) => isJsonObject(entry) && entry['path'] === path);
  const excludes = (path: JsonValue): boolean => holds(excluded, path);
  const namesEtag = ['/"_etag"/?', '/_etag/?'].some((path) => excludes(path) || holds(included, path));
  const includedByDefault = excludes('/*') || excludes('/') ? [] : [{ path: '/*' }];
  return {
    ...input,
    indexingMode: mode,
    automatic: input['automatic'] ?? true,
    includedPaths: input['includedPaths'] ?? includedByDefault,
    excludedPaths: namesEtag ? excluded : [...excluded, etagPath],
  };
}

function checkChangeFeedPolicy(input: unknown): ChangeFeedPolicy | undefined {
  if (input === undefined || input === null) {
    return undefined;
  }
  const minutes = isJsonObject(input) ? (input['retentionDuration'] ?? 0) : undefined;
  if (typeof minutes !== 'number' || !Number.isInteger(minutes) || minutes < 0 || minutes > MAX_RETENTION_MINUTES) {
    throw invalid('The retentionDuration of a change feed policy is a whole number of minutes from 1 to 2147483647, or 0 for none.');
  }
  return minutes === 0 ? undefined : { retentionDuration: minutes };
}

/**
 * Checks a container definition and fills in the defaults.
 *
 * @throws INVALID_CONTAINER, INVALID_ID, BAD_REQUEST (time to live)
 */
export function defineContainer(input: ContainerInput): ContainerDefinition {
  if (!isJsonObject(input)) {
    throw invalid('A container definition is an object.');
  }
  const computed = input.computedProperties ?? [];
  if (!Array.isArray(computed) || computed.length > 20) {
    throw invalid('A container has at most 20 computed properties.');
  }
  return {
    id: checkResourceName(input.id),
    partitionKey: checkPartitionKey(input.partitionKey),
    defaultTtl: input.defaultTtl === undefined ? undefined : checkTtl(input.defaultTtl),
    uniqueKeys: checkUniqueKeys(input.uniqueKeys),
    indexingPolicy: checkIndexingPolicy(input.indexingPolicy),
    computedProperties: computed.map(({ name, query }: ComputedProperty) => ({ name, query })),
    changeFeedPolicy: checkChangeFeedPolicy(input.changeFeedPolicy),
    extra: input.extra ?? {},
  };
}

/** Checks that `next` may take the place of `current`: id, partition key and unique keys stay. @throws BAD_REQUEST */
export function checkReplacement(current: ContainerDefinition, next: ContainerDefinition): void {
  const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);
  if (current.id !== next.id || !same(current.partitionKey, next.partitionKey) || !same(current.uniqueKeys, next.uniqueKeys)) {
    throw new PerigeeError(
      'BAD_REQUEST',
      `The container ${JSON.stringify(current.id)} cannot be replaced: id, partition key and unique keys are fixed at creation.`,
    );
  }
}
