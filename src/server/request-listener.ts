import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ActivityIds } from './activity-ids.ts';
import type { Authenticator } from './authenticator.ts';
import { ClientGoneError, readBody } from './body-reader.ts';
import { errorReply } from './error-reply.ts';
import { sendReply, type Reply } from './reply.ts';
import type { LinkParser } from './resource-link.ts';
import { findHandler } from './routes.ts';
import { RequestContext, type ServerContext } from './server-context.ts';

/** What {@link createRequestListener} works with. */
export interface RequestListenerParts {
  readonly server: ServerContext;
  readonly authenticator: Authenticator;
  readonly links: LinkParser;
  readonly activityIds: ActivityIds;
  /** Timers of connections. */
  readonly runtime: Runtime;
  readonly maxBodyBytes: number;
  readonly isClosing: () => boolean;
}

/** Answers every request: finds the route, checks the signature, reads the body, runs the handler. */
export function createRequestListener(parts: RequestListenerParts): RequestListener {
  const { server, authenticator, links, activityIds, runtime, maxBodyBytes, isClosing } = parts;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Reply> => {
    const { method = 'GET', url = '/', headers } = request;
    if (headers.host === undefined && request.httpVersion === '1.1') {
      throw new PerigeeError('BAD_REQUEST', 'The request has no Host header, or more headers than are read.');
    }
    const link = links.parse(url);
    const handler = findHandler(method, link, headers);
    authenticator.verify(method, link, headers);
    const body = method === 'GET' || method === 'DELETE' ? '' : await readBody(request, maxBodyBytes, runtime);
    return handler(
      new RequestContext(server, method, link, headers, body, (listener) => {
        response.once('close', listener);
      }),
    );
  };

  const fail = (response: ServerResponse, error: unknown, activityId: string): void => {
    if (error instanceof ClientGoneError || response.destroyed) {
      server.logger.log('debug', 'client went away', { activityId });
      return;
    }
    sendReply(response, errorReply(error, server.logger, activityId), activityId, isClosing());
  };

  return (request, response) => {
    const activityId = activityIds.next();
    answer(request, response)
      .then((reply) => sendReply(response, reply, activityId, isClosing()))
      // Also where an answer cannot be written as HTTP: nothing is sent by then.
      .catch((error: unknown) => fail(response, error, activityId));
  };
}
