import { PerigeeError } from '../../core/errors.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** Routes of the service that this server does not have: says so by name, instead of a bare "not found". */
export async function refuseFeature(context: RequestContext): Promise<Reply> {
  throw new PerigeeError('NOT_SUPPORTED', `This server does not have ${JSON.stringify(context.link.feed.type)} yet.`);
}
