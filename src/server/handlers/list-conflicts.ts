import type { Reply } from '../reply.ts';
import { resourceFeed } from '../resource-feed.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET .../conflicts`, and `POST` there with a query: none, for there is one place to write to. */
export async function listConflicts(context: RequestContext): Promise<Reply> {
  const { rid } = await context.containerInfo();
  return resourceFeed(context, rid, 'Conflicts', []);
}
