import type { JsonObject, JsonValue } from '../../core/json.ts';
import { asText } from '../../store/document-text.ts';
import { documentOfBody } from '../document-key.ts';
import { documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { hasTriggers, triggeredReply } from '../triggered-request.ts';
import { header, isTrue } from '../wire-headers.ts';

/** `POST .../docs`: creates a document, or upserts it where the header says so. */
export function createDocument(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const isUpsert = isTrue(context.headers, 'x-ms-documentdb-is-upsert');
    const ifMatch = header(context.headers, 'if-match');
    if (hasTriggers(context.headers)) {
      return triggeredReply(context, container, isUpsert ? 'Upsert' : 'Create', context.json() as JsonValue, (transaction, body) => {
        const document = body as JsonObject & { readonly id: string };
        return isUpsert ? transaction.upsert(document, { ifMatch }) : transaction.create(document);
      });
    }
    const document = documentOfBody(context, container);
    const session = sessionOf(context, container);
    const result = isUpsert
      ? await container.store.upsert(document, asText({ session, ifMatch }))
      : await container.store.create(document, asText({ session }));
    return documentReply(context, container, result.created ? 201 : 200, result);
  });
}
