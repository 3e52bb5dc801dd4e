import { PerigeeError } from '../../core/errors.ts';
import { asText } from '../../store/document-text.ts';
import { requiredKey, withDocument } from '../document-key.ts';
import { consistencyOf, documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `GET .../docs/{id}` */
export function readDocument(context: RequestContext): Promise<Reply> {
  return withDocument(context, async (container, id) => {
    const result = await container.store.read(
      id,
      requiredKey(context, container),
      asText({
        session: sessionOf(context, container),
        consistency: consistencyOf(context),
        ifNoneMatch: header(context.headers, 'if-none-match'),
      }),
    );
    if (result === undefined) {
      throw new PerigeeError(
        'NOT_FOUND',
        'Entity with the specified id does not exist in the system. Check the id and the partition key of the document.',
      );
    }
    return documentReply(context, container, 200, result);
  });
}
