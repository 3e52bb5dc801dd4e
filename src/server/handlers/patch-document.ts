import type { JsonValue } from '../../core/json.ts';
import { asText } from '../../store/document-text.ts';
import { patchOf } from '../batch-json.ts';
import { requiredKey, withDocument } from '../document-key.ts';
import { documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { hasTriggers, triggeredReply } from '../triggered-request.ts';
import { header } from '../wire-headers.ts';

/** `PATCH .../docs/{id}`: changes parts of a document. */
export function patchDocument(context: RequestContext): Promise<Reply> {
  return withDocument(context, async (container, id) => {
    const ifMatch = header(context.headers, 'if-match');
    if (hasTriggers(context.headers)) {
      return triggeredReply(context, container, 'Patch', context.json() as JsonValue, (transaction, body) => {
        const patch = patchOf(body);
        return transaction.patch(id, patch.operations, { condition: patch.condition, ifMatch });
      });
    }
    const { operations, condition } = patchOf(context.json());
    const result = await container.store.patch(
      id,
      requiredKey(context, container),
      operations,
      asText({
        condition,
        session: sessionOf(context, container),
        ifMatch,
      }),
    );
    return documentReply(context, container, 200, result);
  });
}
