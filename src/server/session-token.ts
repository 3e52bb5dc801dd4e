import { PerigeeError } from '../core/errors.ts';
import { PARTITION_RANGES } from './partition-ranges.ts';

/*
 * On the wire a session is `<range>:<version>#<position>`, several joined by commas. Stores with positions give a session as decimal digits;
 * a session that has the form of the wire already comes from a store that speaks it, and passes as it is.
 */

const DIGITS = /^\d{1,15}$/u;
const WIRE = /^([^:,]+):(-?\d+)#(\d{1,15})(?:#.*)?$/u;

/** A store's session as clients take it; `undefined` where the store has none. */
export function toWireSession(session: string | undefined): string | undefined {
  if (session === undefined) {
    return undefined;
  }
  return DIGITS.test(session) ? `${PARTITION_RANGES[0].id}:-1#${session}` : session;
}

/** What a client sent, as the store takes it. @throws BAD_REQUEST */
export function fromWireSession(token: string): string | undefined {
  const parts = token.split(',').map((part) => WIRE.exec(part.trim()));
  if (parts.includes(null)) {
    throw new PerigeeError('BAD_REQUEST', 'The session token in the request cannot be read. Send the one of an earlier answer, or none.');
  }
  const own = parts.find((part) => part?.[1] === PARTITION_RANGES[0].id);
  if (own === undefined || own === null) {
    return undefined;
  }
  return own[2] === '-1' ? String(Number(own[3])) : token;
}
