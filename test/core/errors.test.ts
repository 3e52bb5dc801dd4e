import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/core/error-codes.ts';
import { isPerigeeError, PerigeeError, throwIfAborted } from '../../src/core/errors.ts';

describe('PerigeeError', () => {
  test('takes category, status and exit code from the table of codes', () => {
    for (const [code, info] of Object.entries(ERROR_CODES)) {
      const error = new PerigeeError(code as ErrorCode, 'text');
      expect(error).toMatchObject({
        code,
        category: info.category,
        retryable: info.retryable,
        status: info.status,
        subStatus: info.subStatus ?? 0,
        name: 'PerigeeError',
      });
    }
  });

  test('keeps details, cause and delay, and a status that a service answered with', () => {
    const cause = new Error('why');
    const error = new PerigeeError('THROTTLED', 'slow down', { cause, retryAfterMs: 5, details: { a: 1 }, status: 430, subStatus: 9 });
    expect(error).toMatchObject({ cause, retryAfterMs: 5, details: { a: 1 }, status: 430, subStatus: 9, message: 'slow down' });
    expect(new PerigeeError('CLOSED', 'x').details).toEqual({});
    expect('cause' in new PerigeeError('CLOSED', 'x')).toBe(false);
  });

  test('is recognised by its brand, also from another copy of the package', () => {
    const other = runInNewContext(`const e = new Error('x'); e.code = 'CONFLICT'; e[Symbol.for('perigee.error')] = true; e`) as unknown;
    expect(isPerigeeError(other, 'CONFLICT')).toBe(true);
    expect(isPerigeeError(new PerigeeError('CLOSED', 'x'), 'CONFLICT')).toBe(false);
    for (const value of [undefined, null, 'CLOSED', new Error('x'), { code: 'CLOSED' }]) {
      expect(isPerigeeError(value)).toBe(false);
    }
  });
});

describe('ERROR_CODES', () => {
  test('every row is complete and fits its category', () => {
    for (const [code, info] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(info.meaning).toMatch(/^[A-Z].*\.$/);
      expect(info.action).toMatch(/^[A-Z].*\.$/);
      expect([0, 65, 69, 70, 74, 75, 77, 78]).toContain(info.exitCode);
      if (info.category === 'connection' || info.category === 'timeout' || info.category === 'throttle') {
        expect(info.status, code).toBeGreaterThanOrEqual(404);
      }
    }
  });
});

test('an aborted signal throws its reason as it is', () => {
  const reason = { any: 'thing' };
  expect(() => throwIfAborted(undefined)).not.toThrow();
  expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
  let thrown: unknown;
  try {
    throwIfAborted(AbortSignal.abort(reason));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBe(reason);
});
