import { canonicalJson } from '../core/json-order.ts';
import { PerigeeError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { Backend, ContainerInfo } from '../store/backend.ts';
import type { ContainerDefinition } from '../store/container-definition.ts';

/** The definition as a container is made from it. */
function inputOf(definition: ContainerDefinition): Parameters<Backend['createContainer']>[1] {
  const { id, partitionKey, defaultTtl, uniqueKeys, indexingPolicy, computedProperties, changeFeedPolicy, extra } = definition;
  return { id, partitionKey, defaultTtl, uniqueKeys, indexingPolicy, computedProperties, changeFeedPolicy, extra };
}

function isSame(left: unknown, right: unknown): boolean {
  return canonicalJson((left ?? null) as JsonValue) === canonicalJson((right ?? null) as JsonValue);
}

/** What keeps documents of one container from meaning the same in another. */
function obstacle(source: ContainerDefinition, target: ContainerDefinition, acceptTtl: boolean): string | undefined {
  if (!isSame(source.partitionKey.paths, target.partitionKey.paths)) {
    return `the partition key of the target is ${target.partitionKey.paths.join(', ')}, that of the source ${source.partitionKey.paths.join(', ')}`;
  }
  if (!acceptTtl && source.defaultTtl !== target.defaultTtl) {
    const words = (ttl: number | undefined): string => (ttl === undefined ? 'none' : String(ttl));
    return `the default time to live of the target is ${words(target.defaultTtl)}, that of the source ${words(source.defaultTtl)}, so copies would expire at other times. Make them equal, or say what is to become of it (ttl)`;
  }
  return undefined;
}

/**
 * The container in the target, made with the source's definition where it is missing.
 *
 * @param acceptTtl whether another default time to live is no obstacle, as the caller has said what becomes of it
 * @throws BAD_REQUEST where the target has a container in which the documents would mean something else; what the target throws
 */
export async function targetContainer(
  target: Backend,
  source: ContainerInfo,
  acceptTtl: boolean,
): Promise<{ readonly info: ContainerInfo; readonly created: boolean }> {
  const { databaseId, definition } = source;
  if ((await target.readDatabase(databaseId)) === undefined) {
    await target.createDatabase(databaseId);
  }
  const existing = await target.readContainer(databaseId, definition.id);
  if (existing === undefined) {
    return { info: await target.createContainer(databaseId, inputOf(definition)), created: true };
  }
  const why = obstacle(definition, existing.definition, acceptTtl);
  if (why !== undefined) {
    throw new PerigeeError('BAD_REQUEST', `Cannot copy into the container ${JSON.stringify(definition.id)} that is there: ${why}.`);
  }
  return { info: existing, created: false };
}

/** A text that is another one once a container was made again, or its definition replaced. */
export function containerIdentity({ rid, etag, ts }: ContainerInfo): string {
  return JSON.stringify([rid, etag, ts]);
}
