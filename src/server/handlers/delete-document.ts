import { requiredKey, withDocument } from '../document-key.ts';
import { documentHeaders, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { hasTriggers, triggeredDelete } from '../triggered-request.ts';
import { header } from '../wire-headers.ts';

/** `DELETE .../docs/{id}` */
export function deleteDocument(context: RequestContext): Promise<Reply> {
  return withDocument(context, async (container, id) => {
    const ifMatch = header(context.headers, 'if-match');
    if (hasTriggers(context.headers)) {
      return triggeredDelete(context, container, id, ifMatch);
    }
    const result = await container.store.delete(id, requiredKey(context, container), {
      session: sessionOf(context, container),
      ifMatch,
    });
    return { status: 204, headers: documentHeaders(context, container, result), body: undefined };
  });
}
