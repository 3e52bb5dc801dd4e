import { describe, expect, test } from 'vitest';
import { abortable, CallTracker } from '../../src/store/call-tracker.ts';

function deferred(): { promise: Promise<string>; resolve: (value: string) => void } {
  let resolve: (value: string) => void = () => undefined;
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('CallTracker', () => {
  test('close waits for calls under way, refuses later ones, and releases once', async () => {
    const tracker = new CallTracker('thing');
    const work = deferred();
    const call = tracker.run(undefined, () => work.promise);
    let released = 0;
    const release = (): Promise<void> => {
      released += 1;
      return Promise.resolve();
    };
    const closing = tracker.close(release);
    expect(tracker.closed).toBe(true);
    await expect(tracker.run(undefined, () => 'late')).rejects.toMatchObject({
      code: 'CLOSED',
      message: expect.stringContaining('thing') as never,
    });
    expect(released).toBe(0);
    work.resolve('done');
    await expect(call).resolves.toBe('done');
    await Promise.all([closing, tracker.close(release)]);
    expect(released).toBe(1);
  });

  test('a call that fails counts as ended, also one that throws at once', async () => {
    const tracker = new CallTracker('thing');
    await expect(
      tracker.run(undefined, () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    await expect(tracker.run(undefined, () => Promise.reject(new Error('later')))).rejects.toThrow('later');
    await tracker.close(() => Promise.resolve());
  });

  test('an abort ends a call for its caller; close still waits for the work', async () => {
    const tracker = new CallTracker('thing');
    const controller = new AbortController();
    const work = deferred();
    const call = tracker.run(controller.signal, () => work.promise);
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    let closed = false;
    const closing = tracker
      .close(() => Promise.resolve())
      .then(() => {
        closed = true;
      });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    work.resolve('done');
    await closing;
  });

  test('a signal aborted before stops a call before it begins', async () => {
    const tracker = new CallTracker('thing');
    const reason = { odd: true };
    await expect(tracker.run(AbortSignal.abort(reason), () => expect.unreachable())).rejects.toBe(reason);
  });
});

test('a settled call leaves nothing on its signal', async () => {
  const controller = new AbortController();
  let listeners = 0;
  const add = controller.signal.addEventListener.bind(controller.signal);
  const remove = controller.signal.removeEventListener.bind(controller.signal);
  controller.signal.addEventListener = ((...given: Parameters<typeof add>) => {
    listeners += 1;
    add(...given);
  }) as never;
  controller.signal.removeEventListener = ((...given: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...given);
  }) as never;
  await abortable(Promise.resolve(1), controller.signal);
  await abortable(Promise.reject(new Error('x')), controller.signal).catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(listeners).toBe(0);
});
