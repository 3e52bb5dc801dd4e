import { operationList, wireOperation, wireOutcome } from '../batch-json.ts';
import { requiredKey } from '../document-key.ts';
import { documentHeaders, sessionOf } from '../document-reply.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { refuseTriggers } from '../triggered-request.ts';
import { header } from '../wire-headers.ts';

/** `POST .../docs` with an atomic batch: 200 when all operations took effect, 207 when none did. */
export async function executeBatch(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    refuseTriggers(context.headers);
    const operations = operationList(context.json()).map((given) => wireOperation(given).operation);
    const result = await container.store.batch(requiredKey(context, container), operations, { session: sessionOf(context, container) });
    const minimal = header(context.headers, 'prefer')?.toLowerCase() === 'return=minimal';
    const outcomes = result.outcomes.map((outcome, index) =>
      wireOutcome((operations[index] as (typeof operations)[number]).type, outcome, minimal),
    );
    return {
      status: result.committed ? 200 : 207,
      headers: [...documentHeaders(context, container, result), 'x-ms-item-count', String(outcomes.length)],
      body: JSON.stringify(outcomes),
    };
  });
}
