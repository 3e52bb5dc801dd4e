import { queryBody } from '../query-body.ts';
import { chargeHeader, type Reply } from '../reply.ts';
import { READ_CHARGE } from '../feed-reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `POST .../docs` with a request for a query plan. Clients send one beside every query, and mostly throw it away. */
export async function planQuery(context: RequestContext): Promise<Reply> {
  const query = queryBody(context);
  const { queryPlanText } = await import('../query-plan-reply.ts');
  return context.withContainer(async ({ info }) => ({
    status: 200,
    headers: ['x-ms-request-charge', chargeHeader(READ_CHARGE)],
    body: queryPlanText(query, info.definition, context.server.orderBy),
  }));
}
