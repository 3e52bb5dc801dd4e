import { statusName } from '../error-reply.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { ChaosVerdict } from './chaos-engine.ts';
import type { ChaosEffect } from './chaos-rules.ts';
import type { DeliveryFault, FaultyReply } from './faulty-delivery.ts';

const DEFAULT_KEEP = 0.5;

function statusReply(effect: Extract<ChaosEffect, { readonly kind: 'status' }>): Reply {
  const headers = ['x-ms-request-charge', '0'];
  if (effect.subStatus !== undefined) {
    headers.push('x-ms-substatus', String(effect.subStatus));
  }
  if (effect.retryAfterMs !== undefined) {
    headers.push('x-ms-retry-after-ms', String(Math.ceil(effect.retryAfterMs)));
  }
  return jsonReply(
    effect.status,
    { code: statusName(effect.status), message: 'The server was told to answer so by a chaos rule.' },
    headers,
  );
}

function faulty(reply: Reply, delivery: DeliveryFault): FaultyReply {
  return { ...reply, delivery };
}

/** How a request is carried out. */
export interface ChaosWork {
  readonly run: () => Promise<Reply>;
  /** The answer to a request that failed: it meets with the same fault as any other. */
  readonly replyTo: (error: unknown) => Reply;
  readonly wait: (delayMs: number) => Promise<void>;
}

/** Carries a request out, or not, as a verdict has it. */
export async function underChaos({ delayMs, effect }: ChaosVerdict, { run, replyTo, wait }: ChaosWork): Promise<Reply> {
  if (delayMs > 0) {
    await wait(delayMs);
  }
  switch (effect?.kind) {
    case undefined:
      return run();
    case 'status':
      if (effect.applied === true) {
        // One that fails was not applied, and says so.
        await run();
      }
      return statusReply(effect);
    case 'cut':
      return effect.at === 'request' ? faulty(jsonReply(503, {}), effect) : faulty(await run().catch(replyTo), effect);
    case 'drop':
    case 'slow':
      return faulty(await run().catch(replyTo), effect);
    case 'truncate': {
      const reply = await run().catch(replyTo);
      const length = Math.floor((reply.body?.length ?? 0) * (effect.keep ?? DEFAULT_KEEP));
      return { ...reply, body: reply.body?.slice(0, length) };
    }
    default:
      return effect satisfies never;
  }
}
