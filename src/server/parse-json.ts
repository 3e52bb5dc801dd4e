import { PerigeeError } from '../core/errors.ts';
import { STORE_LIMITS } from '../store/limits.ts';

/** Nesting that a text may have: that of a document, and the few levels a batch puts around it. */
const MAX_DEPTH = STORE_LIMITS.documentDepth + 8;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  if (levels === 0) {
    return true;
  }
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === 'object' && isDeeper(member, levels - 1)) {
      return true;
    }
  }
  return false;
}

/** Reads JSON that a stranger wrote; `what` is what a message calls it. @throws BAD_REQUEST where it is no JSON, or nested too deeply */
export function parseJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', `${what} is not valid JSON.`, { cause });
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new PerigeeError('BAD_REQUEST', `${what} is nested too deeply.`);
  }
  return value;
}
