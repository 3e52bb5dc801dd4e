import type { NumberedError } from './sandbox-types.ts';

/** JSON of the message, the stack and the number of something that was thrown, none of them longer than people read. */
export function describeThrown(stringify: (value: unknown) => string, thrown: unknown): string {
  const MAX_MESSAGE = 8192;
  const MAX_STACK = 4096;
  const text = (value: unknown): string => (value === undefined ? '' : String(value));
  const isObject = typeof thrown === 'object' && thrown !== null;
  const { name, message, stack, number } = (isObject ? thrown : {}) as Partial<NumberedError>;
  const hasMessage = isObject && message !== undefined;
  const line = hasMessage ? `${text(name) || 'Error'}: ${text(message)}` : isObject ? (stringify(thrown) ?? text(thrown)) : String(thrown);
  return stringify({
    message: line.slice(0, MAX_MESSAGE),
    stack: text(stack).slice(0, MAX_STACK),
    number: typeof number === 'number' ? number : undefined,
  });
}
