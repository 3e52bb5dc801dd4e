import { PerigeeError } from '../core/errors.ts';
import { hashV2 } from './effective-partition-key.ts';
import { partitionKeyText } from './partition-key.ts';
import type { ChangesRequest } from './store-hooks.ts';

/**
 * The part of a change feed cursor that binds it to what it was read from: 32 digits that are equal only for the same data and the same scope.
 *
 * @param source names the data a position has a meaning in: the container, and the database that holds it
 */
export function cursorBinding(
  source: string,
  request: Pick<ChangesRequest, 'partitionKey' | 'range' | 'issuedFor'> & { readonly mode: ChangesRequest['mode'] | 'query' },
): string {
  const { mode, partitionKey } = request;
  const range = rangeOfIssue(request);
  const scope = [source, mode, partitionKey === undefined ? '' : partitionKeyText(partitionKey), range?.min ?? '', range?.max ?? ''];
  return hashV2([JSON.stringify(scope)]);
}

/** What binds the cursors of a request: `issued` those that it may bring, `next` the one that it gives. */
export function cursorBindings(source: string, request: ChangesRequest): { readonly issued: string; readonly next: string } {
  const next = cursorBinding(source, { ...request, issuedFor: undefined });
  return { issued: request.issuedFor === undefined ? next : cursorBinding(source, request), next };
}

/** The range that tokens of a request are bound to when they are read: the one that they were issued for. */
function rangeOfIssue({ range, issuedFor }: Pick<ChangesRequest, 'range' | 'issuedFor'>): ChangesRequest['range'] {
  return issuedFor === undefined ? range : issuedFor === 'all' ? undefined : issuedFor;
}

/** A cursor behind the change at `position`. */
export function formatCursor(binding: string, position: number): string {
  return `${binding}.${position}`;
}

/** The position in a cursor. @throws INVALID_CONTINUATION unless it was issued with the same binding and not for a position still to come */
export function parseCursor(cursor: string, binding: string, lastPosition: number): number {
  const match = /^([0-9A-F]{32})\.(\d{1,15})$/u.exec(cursor);
  const position = Number(match?.[2]);
  if (match?.[1] !== binding || position > lastPosition) {
    throw new PerigeeError(
      'INVALID_CONTINUATION',
      'The change feed cursor was not issued for this container and scope. Start again from the beginning or from a time.',
    );
  }
  return position;
}
