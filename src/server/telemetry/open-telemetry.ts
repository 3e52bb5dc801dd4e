import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type * as OpenTelemetry from '@opentelemetry/api';
import type { Attributes, Context, Counter, Histogram, Meter, Span, Tracer, UpDownCounter } from '@opentelemetry/api';
import { PerigeeError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { AdmissionObserver } from '../gate/admission.ts';
import { operationOf } from '../operations.ts';
import type { Reply } from '../reply.ts';
import type { ResourceLink } from '../resource-link.ts';
import type { Route } from '../routes.ts';
import { conventionalName, targetOf } from './database-operation.ts';
import { incomingContext } from './incoming-context.ts';
import type { RequestRecord, RequestTelemetry } from './request-telemetry.ts';
import type { TelemetryOptions } from './telemetry-options.ts';

type Api = typeof OpenTelemetry;

const SCOPE = 'perigee';
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
/** Boundaries that the conventions advise, in seconds. */
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const CHARGE_BOUNDARIES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const ROW_BOUNDARIES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** What all records share. */
interface Instruments {
  readonly api: Api;
  readonly tracer: Tracer;
  readonly runtime: Runtime;
  readonly scheme: string;
  readonly host: string;
  readonly duration: Histogram;
  readonly active: UpDownCounter;
  readonly charge: Histogram;
  readonly rows: Histogram;
  readonly throttled: Counter;
}

/** Where a server is reached. */
export interface ServedAt {
  readonly runtime: Runtime;
  readonly secure: boolean;
  readonly host: string;
}

/** Begins to note requests as spans and metrics of OpenTelemetry. @throws DRIVER_MISSING */
export async function openTelemetry(options: TelemetryOptions, { runtime, secure, host }: ServedAt): Promise<RequestTelemetry> {
  let api: Api;
  try {
    api = await import('@opentelemetry/api');
  } catch (cause) {
    throw new PerigeeError(
      'DRIVER_MISSING',
      'Cannot import "@opentelemetry/api", which telemetry needs. Install it (version 1), or leave telemetry out.',
      { cause, details: { package: '@opentelemetry/api' } },
    );
  }
  const meter = (options.meter as Meter | undefined) ?? api.metrics.getMeter(SCOPE);
  const instruments: Instruments = {
    api,
    tracer: (options.tracer as Tracer | undefined) ?? api.trace.getTracer(SCOPE),
    runtime,
    scheme: secure ? 'https' : 'http',
    host,
    duration: meter.createHistogram('http.server.request.duration', {
      description: 'Duration of requests, from their headers to the end of their answers.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    }),
    active: meter.createUpDownCounter('http.server.active_requests', {
      description: 'Requests that are being answered.',
      unit: '{request}',
    }),
    charge: meter.createHistogram('perigee.server.operation.request_charge', {
      description: 'Request units that an operation was charged.',
      unit: '{request_unit}',
      advice: { explicitBucketBoundaries: CHARGE_BOUNDARIES },
    }),
    rows: meter.createHistogram('perigee.server.operation.returned_rows', {
      description: 'Items that a page, a batch or a bulk request gave.',
      unit: '{row}',
      advice: { explicitBucketBoundaries: ROW_BOUNDARIES },
    }),
    throttled: meter.createCounter('perigee.server.throttled_requests', {
      description: 'Requests that were answered with 429.',
      unit: '{request}',
    }),
  };
  return {
    begin: (request, activityId) => new OpenTelemetryRecord(instruments, request, activityId),
    admission: observeAdmission(meter),
  };
}

/** Counts requests in work, in the queue and refused. */
function observeAdmission(meter: Meter): AdmissionObserver {
  const unit = '{request}';
  const working = meter.createUpDownCounter('perigee.server.working_requests', { description: 'Requests that are carried out.', unit });
  const queued = meter.createUpDownCounter('perigee.server.queued_requests', {
    description: 'Requests that wait to be carried out.',
    unit,
  });
  const refused = meter.createCounter('perigee.server.refused_requests', {
    description: 'Requests that were refused because the queue was full, or because they had waited for too long.',
    unit,
  });
  return {
    changed: (byWorking, byQueued) => {
      if (byWorking !== 0) {
        working.add(byWorking);
      }
      if (byQueued !== 0) {
        queued.add(byQueued);
      }
    },
    refused: (reason) => refused.add(1, { reason }),
  };
}

/** The number in a header of a reply; `undefined` where it has none. */
function numberIn(reply: Reply, name: string): number | undefined {
  const at = reply.headers.indexOf(name);
  return at === -1 ? undefined : Number(reply.headers[at + 1]);
}

/** Leaves out what is not known. */
function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** One request as a span and in the metrics. Neither has anything of documents: no ids, no paths, no texts of queries, no keys. */
class OpenTelemetryRecord implements RequestRecord {
  readonly #instruments: Instruments;
  readonly #activityId: string;
  readonly #port: number | undefined;
  readonly #headers: IncomingHttpHeaders;
  /** What is known from the start, and counts for the requests that are being answered. */
  readonly #common: Attributes;
  readonly #startMs: number;
  #operation: { readonly name: string; readonly route: string; readonly database?: string; readonly container?: string } | undefined;
  #context: Context | undefined;
  #span: Span | undefined;
  #reply: Reply | undefined;
  #isOver = false;

  constructor(instruments: Instruments, request: IncomingMessage, activityId: string) {
    const { method = 'GET', headers, socket } = request;
    this.#instruments = instruments;
    this.#activityId = activityId;
    this.#port = socket.localPort;
    this.#headers = headers;
    this.#common = { 'http.request.method': METHODS.has(method) ? method : '_OTHER', 'url.scheme': instruments.scheme };
    this.#startMs = instruments.runtime.monotonicMs();
    instruments.active.add(1, this.#common);
  }

  ignore(): void {
    this.#isOver = true;
    this.#instruments.active.add(-1, this.#common);
  }

  routed(route: Route, link: ResourceLink, headers: IncomingHttpHeaders): void {
    const { database, container } = targetOf(link);
    this.#operation = {
      name: conventionalName(operationOf(route, headers)),
      route: `/${route.path}`,
      ...(database === undefined ? {} : { database }),
      ...(container === undefined ? {} : { container }),
    };
    this.#startSpan();
  }

  within<R>(work: () => R): R {
    return this.#context === undefined ? work() : this.#instruments.api.context.with(this.#context, work);
  }

  answered(reply: Reply): void {
    this.#reply = reply;
  }

  ended(): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    const { active, api } = this.#instruments;
    active.add(-1, this.#common);
    const span = this.#span ?? this.#startSpan();
    const reply = this.#reply;
    const status = reply?.status;
    const failure = status === undefined ? 'client_closed_request' : status >= 500 ? String(status) : undefined;
    const charge = reply === undefined ? undefined : numberIn(reply, 'x-ms-request-charge');
    const rows = reply === undefined ? undefined : numberIn(reply, 'x-ms-item-count');
    span.setAttributes(
      known({
        'http.response.status_code': status,
        'db.response.status_code': status === undefined ? undefined : String(status),
        'azure.cosmosdb.operation.request_charge': charge,
        'azure.cosmosdb.response.sub_status_code': reply === undefined ? undefined : numberIn(reply, 'x-ms-substatus'),
        'db.response.returned_rows': rows,
        'error.type': failure,
      }),
    );
    if (failure !== undefined) {
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    }
    span.end();
    // The span is that of an exemplar.
    this.within(() => this.#measure(status, failure, charge, rows));
  }

  #startSpan(): Span {
    const { api, tracer, host } = this.#instruments;
    const operation = this.#operation;
    const target = operation?.container ?? operation?.database;
    const name =
      operation === undefined
        ? String(this.#common['http.request.method'])
        : target === undefined
          ? operation.name
          : `${operation.name} ${target}`;
    const parent = incomingContext(api, this.#headers);
    const span = tracer.startSpan(
      name,
      {
        kind: api.SpanKind.SERVER,
        attributes: known({
          ...this.#common,
          ...this.#databaseAttributes(),
          'http.route': operation?.route,
          'server.address': host,
          'server.port': this.#port,
          'perigee.activity_id': this.#activityId,
        }),
      },
      parent,
    );
    this.#context = api.trace.setSpan(parent, span);
    this.#span = span;
    return span;
  }

  #databaseAttributes(): Attributes {
    const operation = this.#operation;
    return operation === undefined
      ? {}
      : {
          'db.system.name': 'azure.cosmosdb',
          'db.operation.name': operation.name,
          'db.namespace': operation.database,
          'db.collection.name': operation.container,
        };
  }

  #measure(status: number | undefined, failure: string | undefined, charge: number | undefined, rows: number | undefined): void {
    const { duration, runtime, charge: charges, rows: returned, throttled } = this.#instruments;
    const operation = this.#operation;
    duration.record(
      (runtime.monotonicMs() - this.#startMs) / 1000,
      known({
        ...this.#common,
        'http.route': operation?.route,
        'http.response.status_code': status,
        'db.operation.name': operation?.name,
        'error.type': failure,
      }),
    );
    // Names that nothing here has come from clients that guess, and would each be a series of its own.
    const isNamed = status !== undefined && (status < 400 || status === 429);
    const attributes = known({
      'db.operation.name': operation?.name,
      ...(isNamed ? this.#databaseAttributes() : {}),
      'db.response.status_code': status === undefined ? undefined : String(status),
    });
    if (charge !== undefined && operation !== undefined) {
      charges.record(charge, attributes);
    }
    if (rows !== undefined && operation !== undefined) {
      returned.record(rows, attributes);
    }
    if (status === 429) {
      throttled.add(1, attributes);
    }
  }
}
