import type { ServerResponse } from 'node:http';
import type { CancelTimer, Runtime } from '../../core/runtime.ts';
import { headersOf, type Reply, type ReplyFrame } from '../reply.ts';
import type { ChaosEffect } from './chaos-rules.ts';

/** How an answer is spoilt on its way. */
export type DeliveryFault = Extract<ChaosEffect, { readonly kind: 'drop' | 'cut' | 'slow' }>;

/** An answer that does not arrive as it should. */
export interface FaultyReply extends Reply {
  readonly delivery: DeliveryFault;
}

export function isFaulty(reply: Reply): reply is FaultyReply {
  return 'delivery' in reply;
}

/** In how many pieces a slow body comes. */
const PIECES = 10;

/** Writes half of an answer and closes the connection. */
function cutAnswer(response: ServerResponse, body: Buffer): void {
  response.write(body.subarray(0, body.length / 2), () => response.destroy());
}

function sendSlowly(response: ServerResponse, body: Buffer, durationMs: number, runtime: Runtime): void {
  const size = Math.ceil(body.length / PIECES);
  let cancel: CancelTimer = () => undefined;
  const step = (piece: number): void => {
    if (piece === PIECES) {
      response.end();
      return;
    }
    cancel = runtime.setTimer(durationMs / PIECES, () => {
      response.write(body.subarray(piece * size, (piece + 1) * size));
      step(piece + 1);
    });
  };
  response.once('close', () => cancel());
  step(0);
}

/** Writes what a fault leaves of an answer. Does nothing where the client has gone. */
export function sendFaulty(response: ServerResponse, reply: FaultyReply, frame: ReplyFrame, runtime: Runtime): void {
  if (response.destroyed || response.headersSent) {
    return;
  }
  const { delivery, body } = reply;
  // An answer without a body has no middle.
  if (delivery.kind === 'drop' || (delivery.kind === 'cut' && (delivery.at === 'request' || body === undefined))) {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, headersOf(reply, frame));
  response.flushHeaders();
  const bytes = Buffer.from(body ?? '', 'utf8');
  if (delivery.kind === 'cut') {
    cutAnswer(response, bytes);
  } else {
    sendSlowly(response, bytes, delivery.durationMs, runtime);
  }
}
