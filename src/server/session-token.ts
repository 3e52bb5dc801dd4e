import { PerigeeError } from '../core/errors.ts';
import type { PartitionLayout } from './partitions/partition-layout.ts';

/*
 * On the wire a session is `<range>:<version>#<position>`, several joined by commas. Stores with positions give a session as decimal digits: one
 * number for the whole container, which therefore stands for each of its ranges, also for those that a split or a merge made. A session that has the
 * form of the wire already comes from a store that speaks it, and passes as it is.
 */

const DIGITS = /^\d{1,15}$/u;
const WIRE = /^([^:,]+):(-?\d+)#(\d{1,15})(?:#.*)?$/u;
/** The version of the sessions that are made here; no service gives it. */
const OWN_VERSION = '-1';

/** The position that a store's session stands for, as digits; `undefined` for a session of another form. */
export function positionOf(session: string | undefined): string | undefined {
  return session !== undefined && DIGITS.test(session) ? session : undefined;
}

/** A position as a session that clients take, for the ranges that a request touched. */
export function toWireSession(position: string, ranges: readonly { readonly id: string }[]): string {
  let text = '';
  for (const { id } of ranges) {
    text += `${text === '' ? '' : ','}${id}:${OWN_VERSION}#${position}`;
  }
  return text;
}

function wasRange({ ranges, retired }: PartitionLayout, id: string): boolean {
  return [...ranges, ...retired].some((range) => range.id === id);
}

/** What a client sent, as the store takes it. @throws BAD_REQUEST */
export function fromWireSession(token: string, layout: PartitionLayout): string | undefined {
  const parts = token.split(',').map((part) => WIRE.exec(part.trim()));
  if (parts.includes(null)) {
    throw new PerigeeError('BAD_REQUEST', 'The session token in the request cannot be read. Send the one of an earlier answer, or none.');
  }
  if (parts.some((part) => part?.[2] !== OWN_VERSION)) {
    return token;
  }
  const positions = parts.flatMap((part) => (part !== null && wasRange(layout, part[1] as string) ? [Number(part[3])] : []));
  return positions.length === 0 ? undefined : String(Math.max(...positions));
}
