import type { ContainerInfo } from '../../store/backend.ts';
import { containerJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { checkIfNoneMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { isTrue } from '../wire-headers.ts';

const QUOTA = 'documentSize=2048;documentsSize=10485760;documentsCount=-1;collectionSize=10485760;';

/** Quotas of a container, and how far its indexes are: a store that has none, or makes them at once, always has all. */
async function quotaHeaders(context: RequestContext, { databaseId, definition }: ContainerInfo): Promise<readonly string[]> {
  const { backend } = context.server;
  const percent = backend.capabilities.indexProgress ? await backend.indexProgress(databaseId, definition.id) : 100;
  return ['x-ms-resource-quota', QUOTA, 'x-ms-documentdb-collection-index-transformation-progress', String(percent)];
}

/** How many documents there are; not for tokens, which may be for a part of them. Sizes are not counted anywhere, so none are told. */
async function usageHeaders(context: RequestContext): Promise<readonly string[]> {
  if (context.access.kind === 'token') {
    return [];
  }
  const [count] = await context.server.containers.use(context.name(0), context.id, ({ store }) =>
    store.query<number>('SELECT VALUE COUNT(1) FROM c', { signal: context.signal }).toArray(),
  );
  return ['x-ms-resource-usage', `documentsCount=${count};`];
}

/** `GET /dbs/{database}/colls/{container}` */
export async function readContainer(context: RequestContext): Promise<Reply> {
  const info = await context.containerInfo();
  checkIfNoneMatch(context.headers, info.etag);
  const quota = isTrue(context.headers, 'x-ms-documentdb-populatequotainfo')
    ? [...(await quotaHeaders(context, info)), ...(await usageHeaders(context))]
    : [];
  return resourceReply(200, containerJson(info), quota);
}
