import { createHash } from 'node:crypto';
import { partitionKeyText, type PartitionKey } from '../../store/partition-key.ts';

/** The partition key, or the prefix of one, that a token is limited to: as a digest, because a key may be longer than a header. */
export interface GrantedKey {
  /** How many levels of a key are compared. */
  readonly levels: number;
  readonly digest: string;
}

function digestOf(key: PartitionKey): string {
  return createHash('sha256').update(partitionKeyText(key)).digest('base64');
}

/** A limit to a partition key, or to all keys that begin with a prefix. */
export function grantKey(key: PartitionKey): GrantedKey {
  return { levels: key.length, digest: digestOf(key) };
}

/** Whether a partition key that a request names is the granted one, or begins with it. */
export function isWithinKey({ levels, digest }: GrantedKey, key: PartitionKey): boolean {
  return key.length >= levels && digestOf(key.slice(0, levels)) === digest;
}
