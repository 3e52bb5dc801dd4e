import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AdmissionObserver } from '../gate/admission.ts';
import type { Reply } from '../reply.ts';
import type { ResourceLink } from '../resource-link.ts';
import type { Route } from '../routes.ts';

/** Takes note of requests. */
export interface RequestTelemetry {
  /** A request has come. */
  begin(request: IncomingMessage, activityId: string): RequestRecord;
  /** Counts requests in work and in the queue. */
  readonly admission: AdmissionObserver;
}

/** What is noted of one request; its members are called in this order, each at most once, {@link ended} always. */
export interface RequestRecord {
  /** Nothing is noted of the request. */
  ignore(): void;
  /** It was found who answers. */
  routed(route: Route, link: ResourceLink, headers: IncomingHttpHeaders): void;
  /** Runs the work within the span of the request, so that others can hang theirs below it. */
  within<R>(work: () => R): R;
  /** An answer is being sent. */
  answered(reply: Reply): void;
  /** The answer was taken, or the client has gone. */
  ended(): void;
}
