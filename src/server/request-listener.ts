import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { LazyModule } from '../core/lazy-module.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ActivityIds } from './activity-ids.ts';
import type { Access } from './access/access.ts';
import type { Authenticator } from './access/authenticator.ts';
import { checkNeed } from './access/check-need.ts';
import type { AdminAccess } from './admin/admin-access.ts';
import type { AdminContext } from './admin/admin-context.ts';
import { AdminRequest } from './admin/admin-request.ts';
import { ADMIN_PREFIX } from './admin/admin-prefix.ts';
import type * as AdminRoutes from './admin/admin-routes.ts';
import { openPathReply } from './admin/open-paths.ts';
import type { Readiness } from './admin/readiness.ts';
import { isStreamed, sendStream } from './admin/stream-reply.ts';
import { announcedBytes, awaitsContinue, ClientGoneError, discardBody, readBody } from './body-reader.ts';
import type { ChaosEngine, ChaosVerdict } from './chaos/chaos-engine.ts';
import { isFaulty, sendFaulty } from './chaos/faulty-delivery.ts';
import { underChaos } from './chaos/under-chaos.ts';
import { errorReply } from './error-reply.ts';
import type { Admission } from './gate/admission.ts';
import type { ConnectionTurns } from './gate/connection-turns.ts';
import type { HostGuard } from './gate/host-guard.ts';
import type { MemoryBudget } from './gate/memory-budget.ts';
import type { OriginGuard } from './gate/origin-guard.ts';
import { readTarget } from './gate/request-target.ts';
import { routingGatewayReply, type Gateway } from './gate/routing-gateway.ts';
import { operationOf } from './operations.ts';
import { sendReply, type Reply } from './reply.ts';
import type { LinkParser, ResourceLink } from './resource-link.ts';
import { findRoute, type Route } from './routes.ts';
import { RequestContext, type ServerContext } from './server-context.ts';
import type { RequestRecord, RequestTelemetry } from './telemetry/request-telemetry.ts';

/** What {@link createRequestListener} works with. */
export interface RequestListenerParts {
  readonly server: ServerContext;
  readonly hosts: HostGuard;
  readonly origins: OriginGuard;
  readonly turns: ConnectionTurns;
  readonly memory: MemoryBudget;
  readonly admission: Admission;
  readonly authenticator: Authenticator;
  readonly chaos: ChaosEngine;
  readonly links: LinkParser;
  readonly activityIds: ActivityIds;
  /** Timers of connections. */
  readonly runtime: Runtime;
  readonly maxBodyBytes: number;
  /** How long a client may take for an answer without taking any of it, in milliseconds. */
  readonly stallTimeoutMs: number;
  readonly isClosing: () => boolean;
  /** `undefined` where nobody asked for any. */
  readonly telemetry: RequestTelemetry | undefined;
  readonly readiness: Readiness;
  readonly admin: AdminContext;
  readonly adminAccess: AdminAccess;
  /** The certificate that clients are to trust; `undefined` without TLS. */
  readonly certificate: string | undefined;
}

/** Snapshots and commands, which most servers are never asked for. */
const ADMIN_ROUTES = new LazyModule<typeof AdminRoutes>(() => import('./admin/admin-routes.ts'));

/** A request that is being answered. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly activityId: string;
  readonly record: RequestRecord | undefined;
  /** Headers that the answer has, whatever it says. */
  headers: readonly string[];
  /** The connection ends behind the answer. */
  isLast: boolean;
  /** It counts among those that are carried out. */
  isAdmitted: boolean;
}

/** A request of which it is known who answers it. */
interface Routed {
  readonly exchange: Exchange;
  readonly method: string;
  readonly link: ResourceLink;
  readonly route: Route;
}

/** Answers every request of a gateway: looks who asks, finds the route, checks the signature, reads the body, runs the handler. */
export function createRequestListener(parts: RequestListenerParts, gateway: Gateway): RequestListener {
  const { server, hosts, origins, turns, memory, admission, authenticator, chaos, links, activityIds, runtime, maxBodyBytes, isClosing } =
    parts;
  const { admin, adminAccess, certificate, readiness } = parts;

  /** Runs a handler that takes no body, once there is memory for anything. */
  const withoutBody = (run: (body: string) => Promise<Reply>): Promise<Reply> => {
    const reserved = memory.reserve(0);
    return reserved === undefined ? run('') : reserved.then(() => run(''));
  };

  /** Runs a handler with the body of the request, within the memory that there is. */
  const withBody = async (exchange: Exchange, run: (body: string) => Promise<Reply>): Promise<Reply> => {
    const { request, response } = exchange;
    const bytes = announcedBytes(request, maxBodyBytes);
    const reserved = memory.reserve(bytes);
    if (reserved !== undefined) {
      await reserved;
    }
    try {
      return await run(await readBody(request, response, maxBodyBytes));
    } finally {
      memory.release(bytes);
    }
  };

  /** Answers a request about the server itself. Queries are possible here, as no path holds an id. */
  const answerAdmin = async (exchange: Exchange, method: string, target: string): Promise<Reply> => {
    const { request, response } = exchange;
    const [path = '', query = ''] = target.split(/\?(.*)/su);
    const { findAdminRoute } = await ADMIN_ROUTES.load();
    const { need, body: takes, handle } = findAdminRoute(method, path);
    await adminAccess.check(need, { method, path, link: links.parse(path), headers: request.headers });
    const run = (body: string): Promise<Reply> =>
      handle(admin, new AdminRequest({ request, response, query: new URLSearchParams(query), body }));
    switch (takes) {
      case 'stream':
        return run('');
      case 'json':
        return withBody(exchange, run);
      default:
        return withoutBody(run);
    }
  };

  /** Carries a request out whose sender is known. */
  const carryOut = (routed: Routed, access: Access): Promise<Reply> => {
    const { exchange, method, link, route } = routed;
    const { headers } = exchange.request;
    checkNeed(access, route.need, link, headers);
    admission.check();
    if (!chaos.isActive) {
      return handled(routed, access);
    }
    const [database, container] = link.feed.names.length === 0 && link.id !== undefined ? [link.id] : [...link.feed.names, link.id];
    const verdict = chaos.decide({ operation: operationOf(route, headers), method, database, container, headers });
    return verdict === undefined ? handled(routed, access) : meetFault(exchange, verdict, () => handled(routed, access));
  };

  /** Runs the handler, within the span of the request where there is one. */
  const handled = ({ exchange, method, link, route }: Routed, access: Access): Promise<Reply> => {
    const { request, response, record } = exchange;
    const { headers } = request;
    // Behind the body, so that a client that sends slowly keeps no place.
    const run = (body: string): Promise<Reply> => {
      const turn = admission.enter(response);
      const handle = (): Promise<Reply> => {
        exchange.isAdmitted = true;
        return route.handle(new RequestContext(server, { method, link, headers, access, body, response }));
      };
      return turn === undefined ? handle() : turn.then(handle);
    };
    const start = (): Promise<Reply> => (method === 'GET' || method === 'DELETE' ? withoutBody(run) : withBody(exchange, run));
    return record === undefined ? start() : record.within(start);
  };

  /** Carries a request out as a rule of chaos has it. */
  const meetFault = (exchange: Exchange, verdict: ChaosVerdict, run: () => Promise<Reply>): Promise<Reply> => {
    const { response } = exchange;
    const wait = async (delayMs: number): Promise<void> => {
      await chaos.wait(delayMs, (listener) => response.once('close', listener));
      if (response.destroyed) {
        throw new ClientGoneError('The client went away while a chaos rule delayed its request.');
      }
    };
    return underChaos(verdict, { run, replyTo: (error) => replyTo(exchange, error), wait });
  };

  /** Whoever calls this waits for what it gives: an async function in between would take more turns to settle. */
  const answer = (exchange: Exchange): Promise<Reply> | Reply => {
    const { request, record } = exchange;
    const { method = 'GET', headers } = request;
    const { host, path } = readTarget(request);
    if (host !== undefined) {
      hosts.check(host);
    }
    exchange.headers = origins.check(headers);
    const preflight = origins.preflight(method, headers);
    if (preflight !== undefined) {
      return preflight;
    }
    const open = openPathReply(method, path, { certificate, readiness });
    if (open !== undefined) {
      record?.ignore();
      return open;
    }
    if (path.startsWith(ADMIN_PREFIX)) {
      return answerAdmin(exchange, method, path);
    }
    const link = links.parse(path);
    const route = findRoute(method, link, headers);
    record?.routed(route, link, headers);
    const refusal = gateway === 'routing' ? routingGatewayReply(link) : undefined;
    if (refusal !== undefined) {
      return refusal;
    }
    const routed: Routed = { exchange, method, link, route };
    const access = authenticator.verify({ method, path, link, headers });
    return access instanceof Promise ? access.then((verified) => carryOut(routed, verified)) : carryOut(routed, access);
  };

  /** Counts an answer that the client does not take at once, and cuts the connection where it takes nothing for too long. */
  const watchDelivery = ({ request, response }: Exchange, reply: Reply): void => {
    const { socket } = request;
    if (response.destroyed || socket.writableLength === 0) {
      return;
    }
    const bytes = reply.body?.length ?? 0;
    memory.charge(bytes);
    response.once('close', () => memory.release(bytes));
    socket.setTimeout(parts.stallTimeoutMs);
  };

  /** The answer to a request that failed. @throws where nobody is there to answer */
  const replyTo = (exchange: Exchange, error: unknown): Reply => {
    if (error instanceof ClientGoneError) {
      throw error;
    }
    return errorReply(error, server.logger, exchange.activityId);
  };

  const send = (exchange: Exchange, reply: Reply): void => {
    const { request, response, activityId, headers } = exchange;
    exchange.record?.answered(reply);
    // A client that was not told to go on may send its body or not: nobody knows where the next request begins.
    const isUnsure = awaitsContinue(request) && !request.complete;
    const isLast = exchange.isLast || isUnsure || isClosing() || !response.shouldKeepAlive;
    if (isLast) {
      turns.close(request.socket);
    }
    const frame = { activityId, headers, isLast };
    if (isStreamed(reply)) {
      request.socket.setTimeout(parts.stallTimeoutMs);
      sendStream(response, reply, frame).catch((error: unknown) => {
        // What was written is no longer an answer to anything; the client sees that its end is missing.
        server.logger.log(response.errored === null ? 'error' : 'debug', 'an answer ended early', { activityId, error });
        response.destroy();
      });
    } else if (isFaulty(reply)) {
      sendFaulty(response, reply, frame, runtime);
    } else {
      sendReply(response, reply, frame);
    }
    watchDelivery(exchange, reply);
    discardBody(request, runtime, parts.stallTimeoutMs);
  };

  const fail = (exchange: Exchange, error: unknown): void => {
    const { response, activityId } = exchange;
    if (error instanceof ClientGoneError || response.destroyed) {
      server.logger.log('debug', 'client went away', { activityId });
      return;
    }
    send(exchange, replyTo(exchange, error));
  };

  const start = async (exchange: Exchange): Promise<void> => {
    const { socket } = exchange.request;
    if ((socket.timeout ?? 0) > 0) {
      // That of an earlier answer: it would count while this one is being made.
      socket.setTimeout(0);
    }
    try {
      send(exchange, await answer(exchange));
    } catch (error) {
      // Also where an answer cannot be written as HTTP: nothing is sent by then.
      fail(exchange, error);
    } finally {
      if (exchange.isAdmitted) {
        admission.leave();
      }
    }
  };

  return (request, response) => {
    const activityId = activityIds.next();
    const record = parts.telemetry?.begin(request, activityId);
    if (record !== undefined) {
      response.once('close', () => record.ended());
    }
    const exchange: Exchange = { request, response, activityId, record, headers: [], isLast: false, isAdmitted: false };
    turns.run(
      request,
      response,
      () => void start(exchange),
      () => {
        exchange.isLast = true;
        fail(exchange, new PerigeeError('BAD_REQUEST', 'Too many requests wait for their answers on this connection.', { status: 429 }));
      },
    );
  };
}
