import type { IncomingHttpHeaders } from 'node:http';
import type * as OpenTelemetry from '@opentelemetry/api';

/** W3C Trace Context, version 0 and later ones, which begin alike. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/u;

/** The context that the headers of a request carry: read by the propagator that is registered, or else from `traceparent`. */
export function incomingContext(api: typeof OpenTelemetry, headers: IncomingHttpHeaders): OpenTelemetry.Context {
  const { context, propagation, trace, isSpanContextValid } = api;
  const active = context.active();
  if (propagation.fields().length > 0) {
    return propagation.extract(active, headers);
  }
  const { traceparent } = headers;
  const [, version, traceId, spanId, flags] = TRACEPARENT.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  if (version === undefined || version === 'ff' || traceId === undefined || spanId === undefined) {
    return active;
  }
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags as string, 16) & 1, isRemote: true };
  return isSpanContextValid(parent) ? trace.setSpanContext(active, parent) : active;
}
