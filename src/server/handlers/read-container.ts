import { containerJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { checkIfNoneMatch } from '../if-match.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { isTrue } from '../wire-headers.ts';

/** Quotas of a container; the index is always up to date. */
const QUOTA_HEADERS = [
  'x-ms-resource-quota',
  'documentSize=2048;documentsSize=10485760;documentsCount=-1;collectionSize=10485760;',
  'x-ms-documentdb-collection-index-transformation-progress',
  '100',
];

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
  const quota = isTrue(context.headers, 'x-ms-documentdb-populatequotainfo') ? [...QUOTA_HEADERS, ...(await usageHeaders(context))] : [];
  return resourceReply(200, containerJson(info), quota);
}
