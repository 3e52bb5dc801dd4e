import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/json-order.ts';
import type { JsonObject } from '../core/json.ts';
import { partitionKeyOf, partitionKeyText } from '../store/partition-key.ts';
import { withoutSystemProperties } from '../store/prepared-document.ts';

/** Reads the keys and the content of documents of one container. */
export interface DocumentReader {
  /** Partition key paths, parsed. */
  readonly paths: readonly (readonly string[])[];
  /** `ttl` is no part of the content, since a copy changes it. */
  readonly withoutTtl: boolean;
}

/** Partition key and id as one text: equal for one document only. */
export function documentKey(document: JsonObject, reader: DocumentReader): string {
  return JSON.stringify([partitionKeyText(partitionKeyOf(document, reader.paths)), document['id']]);
}

/** The parts of a {@link documentKey}. */
export function keyParts(key: string): { readonly id: string; readonly partitionKey: string } {
  const [partitionKey, id] = JSON.parse(key) as [string, string];
  return { id, partitionKey };
}

/** What a document says, whatever the order of its members and whatever its store added. */
export function contentText(document: JsonObject, reader: DocumentReader): string {
  const { ttl, ...rest } = withoutSystemProperties(document);
  return canonicalJson(reader.withoutTtl || ttl === undefined ? rest : { ...rest, ttl });
}

/** 128 bits of a digest of key and content, in hexadecimal. */
export function documentDigest(key: string, document: JsonObject, reader: DocumentReader): string {
  return createHash('sha256')
    .update(`${key}\n${contentText(document, reader)}`)
    .digest('hex')
    .slice(0, 32);
}
