import type { Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';

/** Answers one kind of request. */
export type Handler = (context: RequestContext) => Promise<Reply>;
