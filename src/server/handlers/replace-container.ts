import { PerigeeError } from '../../core/errors.ts';
import { containerInput, containerJson, serverExtra } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { checkIfMatch } from '../if-match.ts';
import { header } from '../wire-headers.ts';

/** `PUT /dbs/{database}/colls/{container}`: replaces what may change of a definition. */
export async function replaceContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers } = context.server;
  const current = await context.containerInfo();
  checkIfMatch(context.headers, current.etag);
  const { definition } = current;
  const input = containerInput(context.jsonObject(), serverExtra(definition), definition);
  if (input.id !== definition.id) {
    throw new PerigeeError('BAD_REQUEST', 'The id of a container cannot change: the body and the path name different ones.');
  }
  const info = await backend.replaceContainer(current.databaseId, input, { ifMatch: header(context.headers, 'if-match') });
  containers.drop(current.databaseId, definition.id);
  return resourceReply(200, containerJson(info));
}
