import { PerigeeError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json-order.ts';
import type { EpkRange } from '../../store/queries.ts';
import type { PreparedQuery } from '../prepared-query.ts';
import { rewrittenOrder } from '../rewritten-order.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import { readEdge, writeEdge, type KeyEdge } from './key-edge.ts';
import { TokenReader, TokenWriter } from './token-bytes.ts';

/*
 * A token is the base64url form of: its version, a check, the position. The check covers the position and what the token is for, so that neither a
 * damaged token nor one of another query is taken.
 */

const VERSION = 2;

/** Where a run that follows the order of the documents goes on. */
export interface StreamPosition {
  readonly kind: 'stream';
  readonly ordinal: number;
  /** How many rows of that document were taken; -1 when it is finished. */
  readonly rows: number;
  /** Rows that OFFSET still leaves out. */
  readonly skip: number;
  /** Rows returned so far. */
  readonly taken: number;
}

/** A run that starts again and leaves out what it returned before. */
export interface CountPosition {
  readonly kind: 'count';
  readonly taken: number;
}

/** A run in the order of ORDER BY: it goes on behind this row. */
export interface OrderPosition {
  readonly kind: 'order';
  readonly edge: KeyEdge;
  readonly ordinal: number;
  /** Which row of that document it was. */
  readonly row: number;
  readonly taken: number;
  /** Where the edge was cut: how many rows up to this one have it, and a check of all keys. */
  readonly passed: number;
  readonly keysCheck: string;
}

export type QueryPosition = StreamPosition | CountPosition | OrderPosition;

/** What a token is issued for. */
export interface TokenScope {
  /** The query: its text and its parameters in any order. */
  readonly identity: string;
  /** What the query is restricted to. A place in an order or among the documents is one in any part of it as well; a count is none. */
  readonly range: string;
}

/** What the tokens of a query are issued for. */
export function tokenScope(prepared: PreparedQuery, parameters: readonly QueryParameter[], range: EpkRange | undefined): TokenScope {
  const given = parameters.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value] as const);
  const text = rewrittenOrder(prepared)?.identity ?? prepared.text;
  return {
    identity: `${text}\n${canonicalJson(Object.fromEntries(given))}`,
    range: range === undefined ? '' : `${range.min}-${range.max}`,
  };
}

/** A 53-bit hash (cyrb53): enough to tell queries apart, no protection against forgery, which nothing here needs. */
export function hashText(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}

const KINDS = ['stream', 'count', 'order'] as const;

function writePosition(writer: TokenWriter, position: QueryPosition): void {
  writer.byte(KINDS.indexOf(position.kind));
  writer.count(position.taken);
  switch (position.kind) {
    case 'stream':
      writer.count(position.ordinal);
      writer.count(position.rows + 1);
      writer.count(position.skip);
      break;
    case 'count':
      break;
    case 'order':
      writer.count(position.ordinal);
      writer.count(position.row);
      writer.count(position.passed);
      writer.text(position.keysCheck);
      writeEdge(writer, position.edge);
      break;
    default:
      position satisfies never;
  }
}

function readPosition(reader: TokenReader): QueryPosition {
  const kind = KINDS[reader.byte()];
  const taken = reader.count();
  switch (kind) {
    case 'stream':
      return { kind, taken, ordinal: reader.count(), rows: reader.count() - 1, skip: reader.count() };
    case 'count':
      return { kind, taken };
    case 'order':
      return {
        kind,
        taken,
        ordinal: reader.count(),
        row: reader.count(),
        passed: reader.count(),
        keysCheck: reader.text(),
        edge: readEdge(reader),
      };
    default:
      throw new TypeError('A position has a kind.');
  }
}

/** The check of what follows it in a token. */
function checkOf(position: QueryPosition, { identity, range }: TokenScope): string {
  const writer = new TokenWriter();
  writePosition(writer, position);
  return hashText(`${writer.toString()}\n${position.kind === 'count' ? range : ''}\n${identity}`);
}

/** The token that continues a query at a position. */
export function encodePosition(scope: TokenScope, position: QueryPosition): string {
  const writer = new TokenWriter();
  writer.byte(VERSION);
  writer.text(checkOf(position, scope));
  writePosition(writer, position);
  return writer.toString();
}

function refused(cause?: unknown): PerigeeError {
  return new PerigeeError(
    'INVALID_CONTINUATION',
    'Cannot continue the query: the continuation token is damaged, or was issued for another query or other parameters. Start again without it.',
    { cause },
  );
}

/** No token is longer; whatever is sent as one is not read then. */
const MAX_CHARACTERS = 4096;

/** The position that a token of this query holds. @throws INVALID_CONTINUATION */
export function decodePosition(scope: TokenScope, token: string): QueryPosition {
  try {
    const reader = new TokenReader(token.length > MAX_CHARACTERS ? '' : token);
    if (reader.byte() !== VERSION) {
      throw new TypeError('A token is of another version.');
    }
    const check = reader.text();
    const position = readPosition(reader);
    reader.end();
    if (check !== checkOf(position, scope) || encodePosition(scope, position) !== token) {
      throw new TypeError('A token is of another query.');
    }
    return position;
  } catch (error) {
    throw refused(error);
  }
}

/** The error for a token whose position does not fit the way the query runs. */
export function wrongPosition(): PerigeeError {
  return refused();
}
