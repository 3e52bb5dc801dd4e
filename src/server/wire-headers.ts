import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { STORE_LIMITS } from '../store/limits.ts';

/** The largest page a client may ask for. */
const MAX_PAGE_ITEMS = 1000;

/** The value of a header that is sent once. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Whether a header says `true`, in whatever case. */
export function isTrue(headers: IncomingHttpHeaders, name: string): boolean {
  const value = headers[name];
  return typeof value === 'string' && value.toLowerCase() === 'true';
}

/** The page size asked for: absent means the default, -1 means that the server chooses. @throws BAD_REQUEST */
export function pageSizeHeader(headers: IncomingHttpHeaders): number {
  const text = header(headers, 'x-ms-max-item-count');
  if (text === undefined) {
    return STORE_LIMITS.defaultPageItems;
  }
  const size = Number(text);
  if (size === -1) {
    return MAX_PAGE_ITEMS;
  }
  if (!Number.isInteger(size) || size < 1) {
    throw new PerigeeError('BAD_REQUEST', 'The header x-ms-max-item-count is a whole number from 1, or -1.');
  }
  return Math.min(size, MAX_PAGE_ITEMS);
}

/** A store's token as a header can carry it. */
export function toHeaderToken(token: string): string {
  return encodeURIComponent(token);
}

/** Reads {@link toHeaderToken}. @throws INVALID_CONTINUATION */
export function fromHeaderToken(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch (cause) {
    throw new PerigeeError('INVALID_CONTINUATION', 'It was not issued by this server.', { cause });
  }
}
