import { PerigeeError } from '../../core/errors.ts';
import { documentOfBody } from '../document-key.ts';
import { documentReply, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `PUT .../docs/{id}`: replaces a document. */
export async function replaceDocument(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    const document = documentOfBody(context, container);
    if (document.id !== context.id) {
      throw new PerigeeError('BAD_REQUEST', 'The id of a document cannot change: the body and the path name different ones.');
    }
    const result = await container.store.replace(document, {
      session: sessionOf(context),
      ifMatch: header(context.headers, 'if-match'),
    });
    return documentReply(context, container, 200, result);
  });
}
