import { PerigeeError } from '../../core/errors.ts';
import { requiredKey } from '../document-key.ts';
import { documentHeaders, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

const PAGE_ITEMS = 1000;

/**
 * `POST .../operations/partitionkeydelete`: deletes the documents of a partition key. The service does so in the background; here those that
 * were there at the start are gone when the answer comes.
 */
export async function deletePartition(context: RequestContext): Promise<Reply> {
  if (context.id !== 'partitionkeydelete') {
    throw new PerigeeError('NOT_FOUND', 'There is no such operation.');
  }
  return context.withContainer(async (container) => {
    const partitionKey = requiredKey(context, container);
    const { signal } = context;
    let requestUnits = 0;
    let session = sessionOf(context, container);
    const query = container.store.query<string>('SELECT VALUE c.id FROM c', { partitionKey, maxItemCount: PAGE_ITEMS, session, signal });
    for await (const page of query.pages()) {
      const operations = page.items.map((id) => ({ type: 'delete' as const, id, partitionKey }));
      const result = await container.store.bulk(operations, { signal });
      const failed = result.outcomes.find((outcome) => !outcome.ok && outcome.error.code !== 'NOT_FOUND');
      if (failed?.ok === false) {
        throw failed.error;
      }
      requestUnits += page.requestUnits + result.requestUnits;
      session = result.session ?? session;
    }
    return { status: 200, headers: documentHeaders(context, container, { requestUnits, session }), body: undefined };
  });
}
