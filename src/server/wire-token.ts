import { PerigeeError } from '../core/errors.ts';
import type { EpkRange } from '../store/queries.ts';
import { fromHeaderToken, toHeaderToken } from './wire-headers.ts';

/*
 * A store's tokens (continuations, cursors of the feed) are bound to the range that they were issued for. Ranges split, and clients go on in each
 * child with the token of the parent; so on the wire a token says its range in front: `[min-max]`.
 */

const RANGED = /^\[([0-9A-F]*)-([0-9A-F]+)\](.*)$/su;

/** A token as the store takes it. */
export interface StoreToken {
  readonly token: string;
  /** The wider range that it was issued for; `undefined` where that is the request's own. */
  readonly issuedFor: EpkRange | 'all' | undefined;
}

/** A store's token as clients take it. */
export function toWireToken(token: string, range: EpkRange | undefined): string {
  return toHeaderToken(range === undefined ? token : `[${range.min}-${range.max}]${token}`);
}

/** What a client sent, for a request that is restricted to `range`. @throws INVALID_CONTINUATION for one of a range that does not hold this one */
export function fromWireToken(text: string, range: EpkRange | undefined): StoreToken {
  const sent = fromHeaderToken(text);
  const [, min, max, rest] = RANGED.exec(sent) ?? [];
  if (min === undefined || max === undefined || rest === undefined) {
    return { token: sent, issuedFor: range === undefined ? undefined : 'all' };
  }
  if (range === undefined || range.min < min || range.max > max) {
    throw new PerigeeError('INVALID_CONTINUATION', 'It was issued for another range of partition keys.');
  }
  return { token: rest, issuedFor: range.min === min && range.max === max ? undefined : { min, max } };
}
