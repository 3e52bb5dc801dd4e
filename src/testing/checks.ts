import { isPerigeeError, type PerigeeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';

/** What a failed check throws; runners show `actual` and `expected`. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  readonly actual: unknown;
  readonly expected: unknown;

  constructor(message: string, actual: unknown, expected: unknown) {
    super(message);
    this.actual = actual;
    this.expected = expected;
  }
}

const SHOWN_CHARACTERS = 300;

function show(value: unknown): string {
  const text =
    value instanceof Error
      ? String(value)
      : Object.is(value, -0)
        ? '-0'
        : (JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member)) ?? String(value));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)` : text;
}

/** Fails unless `condition` is true. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) {
    throw new CheckFailure(`Expected ${what}.`, condition, true);
  }
}

/** Fails unless the two are the same, member for member; `0` and `-0` differ, the order of members does not count, absent is not `undefined`. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  if (!same(actual, expected)) {
    throw new CheckFailure(`${what}: expected ${show(expected)}, got ${show(actual)}.`, actual, expected);
  }
}

function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) {
    return true;
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) !== Array.isArray(right)) {
    return false;
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(ownValue(left, key), ownValue(right, key)))
  );
}

function ownValue(target: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(target, key)?.value;
}

/** Fails unless the call rejects with one of the codes; gives the error. */
export async function checkRejects(
  call: Promise<unknown> | (() => Promise<unknown>),
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<PerigeeError> {
  const expected = typeof codes === 'string' ? [codes] : codes;
  let value: unknown;
  try {
    value = await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (isPerigeeError(error) && expected.includes(error.code)) {
      return error;
    }
    const got = isPerigeeError(error) ? `${error.code} (${error.message})` : String(error);
    throw new CheckFailure(`${what}: expected the error ${expected.join(' or ')}, got ${got}.`, error, expected);
  }
  throw new CheckFailure(`${what}: expected the error ${expected.join(' or ')}, but it resolved to ${show(value)}.`, value, expected);
}

/** Fails unless the call rejects with exactly this reason, as an aborted one does. */
export async function checkAborts(call: Promise<unknown>, reason: unknown, what: string): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error === reason) {
      return;
    }
    throw new CheckFailure(`${what}: expected the reason of the signal, got ${show(error)}.`, error, reason);
  }
  throw new CheckFailure(`${what}: expected the reason of the signal, but it resolved.`, undefined, reason);
}
