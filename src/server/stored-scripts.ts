import { isPerigeeError } from '../core/errors.ts';
import { containerSelf } from '../store/resource-id.ts';
import type { UserDefinedFunctions } from '../store/user-functions.ts';
import { containerOwner } from './catalog/find-owner.ts';
import type { ResourceKind } from './catalog/resource-kind.ts';
import type { CatalogResource } from './catalog/server-catalog.ts';
import type { OpenContainer } from './container-registry.ts';
import { requiredKey } from './document-key.ts';
import { sessionOf } from './document-reply.ts';
import type { FunctionSource } from './scripts/script-protocol.ts';
import type { ScriptTarget } from './scripts/script-target.ts';
import type { RequestContext } from './server-context.ts';

/** Headers that scripts may read are the protocol's; none of these holds a credential. */
const VISIBLE = /^(?:x-ms-|if-(?:none-)?match$)/u;

/** The source of a script of the catalog. */
export function sourceOf({ members }: CatalogResource): string {
  return members['body'] as string;
}

/** A script of a container, `undefined` where there is none. */
export async function findScript(
  context: RequestContext,
  container: OpenContainer,
  kind: ResourceKind,
  id: string,
): Promise<CatalogResource | undefined> {
  try {
    return await context.server.catalog.read(kind, containerOwner(container.info), id);
  } catch (error) {
    if (isPerigeeError(error, 'NOT_FOUND')) {
      return undefined;
    }
    throw error;
  }
}

/** Finds functions of a container by name; those that are not there are left out. */
function functionsByName(
  context: RequestContext,
  container: OpenContainer,
): (names: readonly string[]) => Promise<readonly FunctionSource[]> {
  return async (names) => {
    const found = await Promise.all(names.map((name) => findScript(context, container, 'udfs', name)));
    // By id only: a resource id is no name that a query could call.
    return found.flatMap((one, index) => (one === undefined || one.id !== names[index] ? [] : [{ name: one.id, source: sourceOf(one) }]));
  };
}

/** What the scripts of a request run on: the partition key that it names. @throws BAD_REQUEST */
export function scriptTarget(context: RequestContext, container: OpenContainer): ScriptTarget {
  const { info, store } = container;
  const headers = Object.entries(context.headers).flatMap(([name, value]) =>
    typeof value === 'string' && VISIBLE.test(name) ? [[name, value] as const] : [],
  );
  return {
    store,
    partitionKey: requiredKey(context, container),
    links: { selfLink: containerSelf(info.rid), altLink: `dbs/${info.databaseId}/colls/${info.definition.id}` },
    headers: Object.fromEntries(headers),
    wallClock: context.server.backend.runtime,
    functions: async () =>
      (await context.server.catalog.list('udfs', containerOwner(info))).map((one) => ({ name: one.id, source: sourceOf(one) })),
    session: sessionOf(context, container),
    signal: context.signal,
  };
}

/** Runs a page of a query with the stored functions that its text calls, if there are any. @throws as `ScriptEngine.withFunctions` */
export async function withStoredFunctions<R>(
  context: RequestContext,
  container: OpenContainer,
  text: string,
  work: (functions: UserDefinedFunctions | undefined) => Promise<R>,
): Promise<R> {
  const { catalog, scripts, backend } = context.server;
  if (!/udf/iu.test(text) || !catalog.isAvailable) {
    return work(undefined);
  }
  const sources = { functions: functionsByName(context, container), wallClock: backend.runtime, signal: context.signal };
  return (await scripts.engine()).withFunctions(text, sources, work);
}
