import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { asText } from '../../store/document-text.ts';
import { documentOfBody, withDocument } from '../document-key.ts';
import { documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { hasTriggers, triggeredReply } from '../triggered-request.ts';
import { header } from '../wire-headers.ts';

/** `PUT .../docs/{id}`: replaces a document. */
export function replaceDocument(context: RequestContext): Promise<Reply> {
  return withDocument(context, async (container, id) => {
    const ifMatch = header(context.headers, 'if-match');
    if (hasTriggers(context.headers)) {
      return triggeredReply(context, container, 'Replace', context.json() as JsonValue, (transaction, body) =>
        transaction.replace(checkId(id, body as JsonObject), { ifMatch }),
      );
    }
    const document = checkId(id, documentOfBody(context, container));
    const result = await container.store.replace(document, asText({ session: sessionOf(context, container), ifMatch }));
    return documentReply(context, container, 200, result);
  });
}

function checkId(id: string, document: JsonObject): JsonObject & { readonly id: string } {
  if (document['id'] !== id) {
    throw new PerigeeError('BAD_REQUEST', 'The id of a document cannot change: the body and the path name different ones.');
  }
  return document as JsonObject & { readonly id: string };
}
