import { documentPage } from '../document-page.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET .../docs`: the documents of a container or a partition key, in creation order. */
export async function listDocuments(context: RequestContext): Promise<Reply> {
  return context.withContainer((container) => documentPage(context, container, { query: 'SELECT * FROM c', parameters: [] }));
}
