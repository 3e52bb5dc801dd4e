import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { header } from './wire-headers.ts';

/** Raises NOT_MODIFIED while a resource has the etag that a request names. */
export function checkIfNoneMatch(headers: IncomingHttpHeaders, etag: string): void {
  const known = header(headers, 'if-none-match');
  if (known !== undefined && (known === '*' || known === etag)) {
    throw new PerigeeError('NOT_MODIFIED', 'The resource still has the etag given. Use the copy you have.', { details: { etag } });
  }
}

/** Raises PRECONDITION_FAILED where a request names an etag that a database, container or offer no longer has. */
export function checkIfMatch(headers: IncomingHttpHeaders, etag: string): void {
  const wanted = header(headers, 'if-match');
  if (wanted !== undefined && wanted !== '*' && wanted !== etag) {
    throw new PerigeeError('PRECONDITION_FAILED', 'The resource changed since the etag was read. Read it again and decide.');
  }
}
