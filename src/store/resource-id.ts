import { PerigeeError } from '../core/errors.ts';

/*
 * Resource ids have the shape of Cosmos DB's, because clients decode them: a database has 4 bytes, a container its database's 4 and 4 of its own
 * whose highest bit is set, a document its container's 8 and its ordinal in 8, least significant first. In text, base64 with `-` for `/`.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-';
const CONTAINER_BIT = 0x80000000;
/** Highest four bits of the resource id of a partition key range. */
const PARTITION_RANGE_TYPE = 5;
const MAX_DATABASE = 0xffffffff;
const MAX_CONTAINER = 0x7fffffff;

const SEXTETS: readonly number[] = Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));

function letters(word: number): string {
  return (
    (ALPHABET[word >>> 18] as string) +
    (ALPHABET[(word >>> 12) & 63] as string) +
    (ALPHABET[(word >>> 6) & 63] as string) +
    (ALPHABET[word & 63] as string)
  );
}

function encode(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    text += letters(((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0));
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return padding === 0 ? text : text.slice(0, -padding) + '='.repeat(padding);
}

function sextet(text: string, at: number): number {
  return SEXTETS[text.charCodeAt(at)] ?? -1;
}

/** The bytes of a resource id of exactly `size` bytes, or `undefined`. */
function decode(rid: string, size: number): number[] | undefined {
  if (rid.length !== Math.ceil(size / 3) * 4) {
    return undefined;
  }
  const digits = Math.ceil((size * 4) / 3);
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (let at = 0; at < digits; at += 1) {
    const value = sextet(rid, at);
    if (value < 0) {
      return undefined;
    }
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push((bits >>> count) & 0xff);
    }
  }
  return encode(bytes) === rid ? bytes : undefined;
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function readBigEndian(bytes: readonly number[], at: number): number {
  return (
    (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
  );
}

function checkOrdinal(n: number, max: number, what: string): void {
  if (!Number.isInteger(n) || n < 1 || n > max) {
    throw new PerigeeError('INVALID_OPTION', `The ordinal of a ${what} is a whole number from 1 to ${max}.`);
  }
}

/** Resource id of the database with an ordinal from 1 to 2^32 - 1. */
export function databaseRid(n: number): string {
  checkOrdinal(n, MAX_DATABASE, 'database');
  return encode(bigEndian(n));
}

/** Resource id of the container with an ordinal from 1 to 2^31 - 1 in its database. */
export function containerRid(database: string, n: number): string {
  checkOrdinal(n, MAX_CONTAINER, 'container');
  return encode([...bigEndian(parseDatabaseRid(database) ?? malformed(database)), ...bigEndian((n | CONTAINER_BIT) >>> 0)]);
}

/** Resource id of the document with an ordinal from 1 to 2^53 - 1 in its container. Runs with every write, so the container is not checked. */
export function documentRid(container: string, ordinal: number): string {
  const low = ordinal >>> 0;
  const high = Math.floor(ordinal / 0x100000000);
  const ninth = (sextet(container, 8) << 18) | (sextet(container, 9) << 12) | (sextet(container, 10) << 6);
  return (
    container.slice(0, 8) +
    letters(ninth | (low & 0xff)) +
    letters((((low >>> 8) & 0xff) << 16) | (((low >>> 16) & 0xff) << 8) | (low >>> 24)) +
    letters(((high & 0xff) << 16) | (((high >>> 8) & 0xff) << 8) | ((high >>> 16) & 0xff)) +
    letters((high >>> 24) << 16).slice(0, 2) +
    '=='
  );
}

/** Resource id of a partition key range of a container, by the number that is its id. */
export function resourceIdOfRange(container: string, id: number): string {
  const bytes = decode(container, 8) ?? malformed(container);
  return encode([...bytes, ...bigEndian(id).reverse(), 0, 0, 0, PARTITION_RANGE_TYPE << 4]);
}

function malformed(rid: string): never {
  throw new PerigeeError('INVALID_ID', `Cannot read the resource id ${JSON.stringify(rid)}.`);
}

/** The ordinal of a database, `undefined` for a text that is no resource id of one. */
export function parseDatabaseRid(rid: string): number | undefined {
  const bytes = decode(rid, 4);
  return bytes === undefined ? undefined : readBigEndian(bytes, 0);
}

/** The database and the ordinal of a container, `undefined` for a text that is no resource id of one. */
export function parseContainerRid(rid: string): { readonly database: string; readonly n: number } | undefined {
  const bytes = decode(rid, 8);
  if (bytes === undefined || (bytes[4] as number) < 0x80) {
    return undefined;
  }
  return { database: encode(bytes.slice(0, 4)), n: (readBigEndian(bytes, 4) & MAX_CONTAINER) >>> 0 };
}

/** The container and the ordinal of a document, `undefined` for a text that is no resource id of one. Ordinals are creation order. */
export function parseDocumentRid(rid: string): { readonly container: string; readonly ordinal: number } | undefined {
  const bytes = decode(rid, 16);
  if (bytes === undefined || (bytes[4] as number) < 0x80 || (bytes[15] as number) !== 0 || (bytes[14] as number) >= 0x20) {
    return undefined;
  }
  const low = readBigEndian(bytes.slice(8, 12).reverse(), 0);
  const high = readBigEndian(bytes.slice(12, 16).reverse(), 0);
  return { container: encode(bytes.slice(0, 8)), ordinal: high * 0x100000000 + low };
}

/** `_self` of a database. */
export function databaseSelf(rid: string): string {
  return `dbs/${rid}/`;
}

/** `_self` of a container. */
export function containerSelf(rid: string): string {
  const database = parseContainerRid(rid)?.database ?? malformed(rid);
  return `dbs/${database}/colls/${rid}/`;
}

/** `_self` of a document; `container` is the `_self` of its container. */
export function documentSelf(container: string, rid: string): string {
  return `${container}docs/${rid}/`;
}
