import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { meterSync } from '../../src/sync/index.ts';
import { fault } from './faulty-store.ts';
import { note, useLine } from './lessons/line.ts';

const line = useLine();

class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** The newest value of each metric, of all its attributes together, and the attributes of runs. */
async function read(reader: Reader): Promise<{ readonly values: Record<string, number>; readonly runs: readonly object[] }> {
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const values = metrics.map(({ descriptor, dataPoints }) => {
    const numbers = dataPoints.map(({ value }) => (typeof value === 'number' ? value : value.count));
    return [descriptor.name.replace('perigee.sync.', ''), numbers.reduce((sum, one) => sum + one, 0)] as const;
  });
  const runs = metrics.find(({ descriptor }) => descriptor.name.endsWith('run.duration'))?.dataPoints ?? [];
  return { values: Object.fromEntries(values), runs: runs.map(({ attributes }) => attributes) };
}

test('what waits, what was exchanged, what it cost and how runs end is in metrics, without anything of documents', async () => {
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  await (await line.world.remote()).create(note('of a stranger', '9'));
  const phone = await line.device();
  const stop = meterSync(phone.engine, provider.getMeter('app'));
  await phone.notes.create(note('secret'));
  await phone.notes.create(note('refused', '2'));
  await line.world.pass(5000);
  line.plan = () => fault('UNREACHABLE');
  await phone.engine.sync();
  expect(await read(reader)).toMatchObject({
    values: { pending: 2, 'pending.oldest_age': 5, dead_letters: 0, pushed: 0, requests: 1, 'run.duration': 1 },
    runs: [{ 'perigee.sync.outcome': 'failed', 'error.type': 'UNREACHABLE' }],
  });
  let batches = 0;
  line.plan = (request) => {
    batches += request === 'batch' ? 1 : 0;
    return request === 'batch' && batches < 3 ? fault('TOO_LARGE') : undefined;
  };
  const report = await phone.engine.sync();
  const { values, runs } = await read(reader);
  expect(values).toMatchObject({ pending: 1, dead_letters: 1, pushed: 1, pulled: 1, rejected: 1, conflicts: 0, 'run.duration': 2 });
  expect(values).toMatchObject({ requests: 1 + report.requests, request_charge: report.requestUnits, received: report.bytesReceived });
  expect(values['sent']).toBeGreaterThan(0);
  expect(runs).toHaveLength(2);
  expect(JSON.stringify((await reader.collect()).resourceMetrics.scopeMetrics)).not.toMatch(/secret|ada|device-1/u);
  stop();
  await phone.engine.sync();
  expect((await read(reader)).values).toMatchObject({ 'run.duration': 2 });
  const again = await line.restarted(phone);
  meterSync(again.engine, provider.getMeter('other'));
  await again.engine.close();
  // A closed engine has nothing to say, and is no error.
  await read(reader);
  await provider.shutdown();
});
