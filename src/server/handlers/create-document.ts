import { documentOfBody } from '../document-key.ts';
import { documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header, isTrue } from '../wire-headers.ts';

/** `POST .../docs`: creates a document, or upserts it where the header says so. */
export async function createDocument(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const document = documentOfBody(context, container);
    const session = sessionOf(context);
    const result = isTrue(context.headers, 'x-ms-documentdb-is-upsert')
      ? await container.store.upsert(document, { session, ifMatch: header(context.headers, 'if-match') })
      : await container.store.create(document, { session });
    return documentReply(context, container, result.created ? 201 : 200, result);
  });
}
