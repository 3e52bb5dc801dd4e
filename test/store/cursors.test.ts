import { describe, expect, test } from 'vitest';
import { bindContinuation, continuationBinding, unbindContinuation } from '../../src/store/bound-continuation.ts';
import { cursorBinding, formatCursor, parseCursor } from '../../src/store/change-cursor.ts';

const ALL = { mode: 'latest', partitionKey: undefined, range: undefined } as const;
const invalid = expect.objectContaining({ code: 'INVALID_CONTINUATION' });

describe('change feed cursors', () => {
  test('come back for the same source and scope only', () => {
    const scopes = [
      cursorBinding('rid-1', ALL),
      cursorBinding('rid-2', ALL),
      cursorBinding('rid-1', { ...ALL, mode: 'all' }),
      cursorBinding('rid-1', { ...ALL, partitionKey: ['a'] }),
      cursorBinding('rid-1', { ...ALL, partitionKey: ['a', 'b'] }),
      cursorBinding('rid-1', { ...ALL, partitionKey: ['["a"]'] }),
      cursorBinding('rid-1', { ...ALL, partitionKey: [null] }),
      cursorBinding('rid-1', { ...ALL, partitionKey: [undefined] }),
      cursorBinding('rid-1', { ...ALL, range: { min: '', max: 'FF' } }),
      cursorBinding('rid-1', { ...ALL, range: { min: '', max: '7F' } }),
    ];
    for (const [left, binding] of scopes.entries()) {
      const cursor = formatCursor(binding, 42);
      for (const [right, other] of scopes.entries()) {
        if (left === right) {
          expect(parseCursor(cursor, other, 42)).toBe(42);
        } else {
          expect(() => parseCursor(cursor, other, 42)).toThrow(invalid);
        }
      }
    }
  });

  test('one of the future, or damaged, is refused', () => {
    const binding = cursorBinding('rid', ALL);
    const cursor = formatCursor(binding, 42);
    expect(() => parseCursor(cursor, binding, 41)).toThrow(invalid);
    for (const damaged of [
      '',
      binding,
      `${binding}.`,
      `${cursor}x`,
      `${binding}.-1`,
      `${binding}.1.5`,
      cursor.toLowerCase(),
      ` ${cursor}`,
    ]) {
      expect(() => parseCursor(damaged, binding, 42)).toThrow(invalid);
    }
  });
});

describe('query continuations', () => {
  test('come back for the same container and scope only', () => {
    const binding = continuationBinding('rid', { partitionKey: ['a'], range: undefined });
    const bound = bindContinuation(binding, 'inner.token');
    expect(unbindContinuation(binding, bound)).toBe('inner.token');
    expect(bindContinuation(binding, undefined)).toBeUndefined();
    expect(unbindContinuation(binding, undefined)).toBeUndefined();
    const other = continuationBinding('rid', { partitionKey: ['b'], range: undefined });
    for (const token of [bindContinuation(other, 'inner.token'), 'inner.token', '', binding]) {
      expect(() => unbindContinuation(binding, token)).toThrow(invalid);
    }
  });
});
