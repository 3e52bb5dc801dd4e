import { describe, expect, test } from 'vitest';
import { Emitter } from '../../src/core/emitter.ts';

describe('Emitter', () => {
  test('calls listeners in the order they were added, each once', () => {
    const emitter = new Emitter<{ tick: number }>();
    const seen: string[] = [];
    const listener = (n: number): void => void seen.push(`a${n}`);
    emitter.on('tick', listener);
    emitter.on('tick', listener);
    emitter.on('tick', (n) => seen.push(`b${n}`));
    emitter.emit('tick', 1);
    expect(seen).toEqual(['a1', 'b1']);
  });

  test('a listener removed is not called again, and removing twice is allowed', () => {
    const emitter = new Emitter<{ tick: undefined }>();
    let calls = 0;
    const off = emitter.on('tick', () => (calls += 1));
    expect(emitter.has('tick')).toBe(true);
    emitter.emit('tick', undefined);
    off();
    off();
    emitter.emit('tick', undefined);
    expect(calls).toBe(1);
    expect(emitter.has('tick')).toBe(false);
  });

  test('listeners may add and remove listeners while they are called', () => {
    const emitter = new Emitter<{ tick: undefined }>();
    const seen: string[] = [];
    const off = emitter.on('tick', () => {
      seen.push('first');
      off();
      emitter.on('tick', () => seen.push('late'));
    });
    emitter.emit('tick', undefined);
    expect(seen).toEqual(['first']);
    emitter.emit('tick', undefined);
    expect(seen).toEqual(['first', 'late']);
  });

  test('what a listener throws neither reaches the caller nor stops the others, and is reported', async () => {
    const emitter = new Emitter<{ tick: undefined }>();
    const reported: unknown[] = [];
    const previous = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => reported.push(error));
    const failure = new Error('in a listener');
    let reached = false;
    emitter.on('tick', () => {
      throw failure;
    });
    emitter.on('tick', () => {
      reached = true;
    });
    emitter.emit('tick', undefined);
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners('uncaughtException');
    for (const listener of previous) {
      process.on('uncaughtException', listener);
    }
    expect(reached).toBe(true);
    expect(reported).toEqual([failure]);
  });
});
