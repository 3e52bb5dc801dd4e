import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import {
  DEFAULT_INDEXING_POLICY,
  defineContainer,
  type ContainerDefinition,
  type ContainerInput,
} from '../../store/container-definition.ts';
import { assertPlainFile, damagedFile, reasonOf } from './damaged-file.ts';
import { replaceFile } from './replace-file.ts';

/** Version of the form in which files are written. */
const FORMAT = 1;

/** What the store itself keeps of a database or container, in the member `store` of its file. */
export interface StoreMembers {
  /** Ordinal in its database, or of the database. */
  readonly number: number;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly ts: number;
  /** Of a container: see {@link LineContext}. Of a database: how many containers it ever had. */
  readonly incarnation?: string | undefined;
  readonly containers?: number | undefined;
}

function readJson(path: string): JsonObject | undefined {
  assertPlainFile(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/u, ''));
  } catch {
    throw damagedFile(path, 'it is not JSON');
  }
  if (!isJsonObject(value)) {
    throw damagedFile(path, 'it is not a JSON object');
  }
  const format = value['format'] ?? FORMAT;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    throw damagedFile(path, 'its member "format" is not a whole number');
  }
  if (format > FORMAT) {
    throw new PerigeeError(
      'STORE_TOO_NEW',
      `Cannot use ${JSON.stringify(path)}: a newer version wrote it. Update Perigee. It was left as it was.`,
      {
        details: { path, version: format, newest: FORMAT },
      },
    );
  }
  return value;
}

/** The member `store`; what is missing, or is nothing that a store wrote, is left to the caller. */
function storeMembers(value: JsonObject): Partial<StoreMembers> {
  const given = isJsonObject(value['store']) ? value['store'] : {};
  const whole = (one: unknown): number | undefined => (typeof one === 'number' && Number.isSafeInteger(one) && one >= 0 ? one : undefined);
  const { etag, incarnation } = given;
  return {
    number: whole(given['number']) === 0 ? undefined : whole(given['number']),
    ts: whole(given['ts']),
    containers: whole(given['containers']),
    etag: typeof etag === 'string' && etag.length > 2 ? etag : undefined,
    incarnation: typeof incarnation === 'string' && incarnation !== '' ? incarnation : undefined,
  } as Partial<StoreMembers>;
}

/** A stand-in for what a hand-made folder does not say: the same whenever it is asked for. */
export function derivedId(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** `database.json`: the id where the folder's name is cut, and the store's members. `undefined` where there is none. */
export function readDatabaseFile(path: string): { readonly id: string | undefined; readonly store: Partial<StoreMembers> } | undefined {
  const value = readJson(path);
  if (value === undefined) {
    return undefined;
  }
  const { id } = value;
  return { id: typeof id === 'string' ? id : undefined, store: storeMembers(value) };
}

export function writeDatabaseFile(path: string, id: string | undefined, store: StoreMembers, runtime: Runtime): void {
  replaceFile(path, `${JSON.stringify({ format: FORMAT, id, store }, undefined, 2)}\n`, runtime);
}

/** What the file of a definition says. */
export interface ContainerFile {
  readonly definition: ContainerDefinition;
  readonly store: Partial<StoreMembers>;
}

/**
 * `NAME.container.json`: a definition as it is given to `createContainer`, without the id, which is the name of the file. Only the partition key
 * must be there. `undefined` where there is no such file.
 *
 * @param id `undefined` where the name is cut, so that the file must say it
 */
export function readContainerFile(path: string, id: string | undefined): ContainerFile | undefined {
  const value = readJson(path);
  if (value === undefined) {
    return undefined;
  }
  const { format: _format, store: _store, ...input } = value;
  try {
    return { definition: defineContainer({ ...input, id: id ?? input['id'] } as unknown as ContainerInput), store: storeMembers(value) };
  } catch (cause) {
    throw damagedFile(path, reasonOf(cause), cause);
  }
}

/** The partition key in the shortest form that a person would write. */
function partitionKeyInput({ paths, version }: ContainerDefinition['partitionKey']): ContainerInput['partitionKey'] {
  return version === 1 ? { paths, version } : paths.length === 1 ? (paths[0] as string) : paths;
}

/** A definition without what is as it always is. */
function definitionJson(definition: ContainerDefinition, withId: boolean): Record<string, unknown> {
  const { id, partitionKey, defaultTtl, uniqueKeys, indexingPolicy, computedProperties, changeFeedPolicy, extra } = definition;
  return {
    ...(withId ? { id } : {}),
    partitionKey: partitionKeyInput(partitionKey),
    defaultTtl,
    uniqueKeys: uniqueKeys.length === 0 ? undefined : uniqueKeys,
    indexingPolicy: JSON.stringify(indexingPolicy) === JSON.stringify(DEFAULT_INDEXING_POLICY) ? undefined : indexingPolicy,
    computedProperties: computedProperties.length === 0 ? undefined : computedProperties,
    changeFeedPolicy,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  };
}

export function writeContainerFile(
  path: string,
  definition: ContainerDefinition,
  withId: boolean,
  store: StoreMembers,
  runtime: Runtime,
): void {
  replaceFile(path, `${JSON.stringify({ format: FORMAT, ...definitionJson(definition, withId), store }, undefined, 2)}\n`, runtime);
}
