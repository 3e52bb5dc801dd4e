import type { Unsubscribe } from '../core/emitter.ts';
import { isPerigeeError } from '../core/errors.ts';
import type { SyncEngine } from './engine.ts';
import type { SyncStatus } from './sync-events.ts';
import type { SyncReport } from './sync-report.ts';

/** What people read beside a metric. */
export interface MetricText {
  readonly description: string;
  readonly unit: string;
}

/** What a gauge is asked for. */
export type GaugeCallback = (result: { observe(value: number): void }) => void | Promise<void>;

/** The part of a `Meter` of `@opentelemetry/api` that {@link meterSync} uses. */
export interface SyncMeter {
  createCounter(name: string, options: MetricText): { add(value: number, attributes?: Record<string, string>): void };
  createHistogram(name: string, options: MetricText): { record(value: number, attributes?: Record<string, string>): void };
  createObservableGauge(
    name: string,
    options: MetricText,
  ): { addCallback(callback: GaugeCallback): void; removeCallback(callback: GaugeCallback): void };
}

type Metric<T> = readonly [name: string, unit: string, description: string, valueOf: T];

const GAUGES: readonly Metric<(status: SyncStatus) => number>[] = [
  ['perigee.sync.pending', '{document}', 'Documents that wait to be sent, dead letters included.', ({ pending }) => pending],
  [
    'perigee.sync.pending.oldest_age',
    's',
    'How long the oldest of them has waited; 0 where none does.',
    ({ oldestPendingAgeMs }) => (oldestPendingAgeMs ?? 0) / 1000,
  ],
  [
    'perigee.sync.dead_letters',
    '{document}',
    'Documents that the remote refused and that wait for a decision.',
    ({ rejected }) => rejected,
  ],
];

const COUNTERS: readonly Metric<(report: SyncReport) => number>[] = [
  ['perigee.sync.pushed', '{document}', 'Writes that the remote acknowledged.', ({ pushed }) => pushed],
  ['perigee.sync.pulled', '{document}', 'Remote versions taken over.', ({ pulled }) => pulled],
  [
    'perigee.sync.deleted_locally',
    '{document}',
    'Documents removed because they are gone from the remote.',
    ({ deletedLocally }) => deletedLocally,
  ],
  ['perigee.sync.conflicts', '{conflict}', 'Conflicts that were decided.', ({ conflictCount }) => conflictCount],
  ['perigee.sync.rejected', '{document}', 'Documents that became dead letters.', ({ rejectedCount }) => rejectedCount],
  ['perigee.sync.requests', '{request}', 'Requests to the remote.', ({ requests }) => requests],
  ['perigee.sync.request_charge', '{request_unit}', 'Request units that they were charged.', ({ requestUnits }) => requestUnits],
  ['perigee.sync.sent', 'By', 'Documents sent, again for each attempt.', ({ bytesSent }) => bytesSent],
  ['perigee.sync.received', 'By', 'Documents received.', ({ bytesReceived }) => bytesReceived],
];

/**
 * Notes what an engine does in metrics of OpenTelemetry, until the function that it gives is called. They have nothing of documents, users or devices.
 *
 * @param meter a `Meter` of `@opentelemetry/api`, such as `metrics.getMeter('app')`
 *
 * @example
 * ```ts
 * import { metrics } from '@opentelemetry/api';
 * import { openMemoryBackend } from 'perigee/memory';
 * import { openSqliteBackend } from 'perigee/sqlite';
 * import { meterSync, SyncEngine } from 'perigee/sync';
 *
 * const cloud = openMemoryBackend();
 * await cloud.createDatabase('app');
 * await cloud.createContainer('app', { id: 'notes', partitionKey: '/owner', defaultTtl: -1 });
 * const backend = await openSqliteBackend({ path: ':memory:' });
 * const engine = await SyncEngine.open({
 *   backend,
 *   user: 'ada',
 *   scope: [{ container: 'notes', partitionKey: 'ada' }],
 *   remote: (container) => cloud.container('app', container),
 * });
 * const stop = meterSync(engine, metrics.getMeter('app'));
 * await engine.sync();
 * stop();
 * await engine.close();
 * await backend.close();
 * await cloud.close();
 * ```
 */
export function meterSync(engine: SyncEngine, meter: SyncMeter): Unsubscribe {
  const gauges = GAUGES.map(([name, unit, description, valueOf]) => {
    const gauge = meter.createObservableGauge(name, { description, unit });
    const callback: GaugeCallback = async (result) => {
      const status = await statusOf(engine);
      if (status !== undefined) {
        result.observe(valueOf(status));
      }
    };
    gauge.addCallback(callback);
    return () => gauge.removeCallback(callback);
  });
  const counters = COUNTERS.map(([name, unit, description, valueOf]) => ({
    counter: meter.createCounter(name, { description, unit }),
    valueOf,
  }));
  const duration = meter.createHistogram('perigee.sync.run.duration', { description: 'Duration of runs.', unit: 's' });
  const off = engine.on('run', (report) => {
    for (const { counter, valueOf } of counters) {
      counter.add(valueOf(report));
    }
    duration.record(report.durationMs / 1000, {
      'perigee.sync.outcome': report.outcome,
      ...(report.error === undefined ? {} : { 'error.type': report.error.code }),
    });
  });
  return () => {
    off();
    for (const remove of gauges) {
      remove();
    }
  };
}

/** The status of an engine; `undefined` once it is closed. */
async function statusOf(engine: SyncEngine): Promise<SyncStatus | undefined> {
  try {
    return await engine.status();
  } catch (error) {
    if (isPerigeeError(error, 'CLOSED')) {
      return undefined;
    }
    throw error;
  }
}
