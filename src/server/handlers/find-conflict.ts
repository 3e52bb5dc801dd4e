import { PerigeeError } from '../../core/errors.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET` and `DELETE .../conflicts/{id}`: there never is one, for there is one place to write to. */
export async function findConflict(context: RequestContext): Promise<Reply> {
  await context.containerInfo();
  throw new PerigeeError('NOT_FOUND', 'Resource Not Found: there is no conflict with this id.');
}
