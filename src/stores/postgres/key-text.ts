import { createHash } from 'node:crypto';
import { partitionKeyText, type PartitionKey, type PartitionKeyComponent } from '../../store/partition-key.ts';

/** Characters up to which a component of a partition key stands in rows as it is. */
const MAX_COMPONENT_CHARACTERS = 120;
/** Characters of a longer one that do. */
const KEPT_CHARACTERS = 8;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A long text by its beginning and a digest; no JSON text looks so. */
function componentText(component: PartitionKeyComponent): string {
  if (typeof component !== 'string' || component.length <= MAX_COMPONENT_CHARACTERS) {
    return partitionKeyText([component]).slice(1, -1);
  }
  return `${JSON.stringify(component.slice(0, KEPT_CHARACTERS))}#${digestOf(component)}`;
}

/**
 * The text by which rows of a partition key are found: that of the key, where long components have given way to digests, since an entry of an
 * index ends near 2,700 bytes. It is the same for two keys only where they are the same, and begins alike where their first components are.
 */
export function keyText(key: PartitionKey): string {
  return `[${key.map(componentText).join(',')}]`;
}

/** The texts of all keys that begin with some components: from the first, up to but without the second. */
export function prefixBounds(prefix: PartitionKey): readonly [string, string] {
  const start = keyText(prefix).slice(0, -1);
  return [`${start},`, `${start}-`];
}

/** A digest of a unique value, which may be as long as a document. */
export function uniqueDigest(value: string): string {
  return createHash('sha256').update(value).digest('base64');
}
