import { DigestSums } from '../core/digest-sums.ts';
import { throwIfAborted } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { parsePartitionKeyText } from '../store/partition-key.ts';
import type { CopyComparison, CopyDifference, CopyDifferenceKind } from './copy-report.ts';
import { contentText, documentDigest, documentKey, keyParts, type DocumentReader } from './document-digest.ts';

const BUCKETS = 1024;
/** Keys that are held at a time to find out which of them differ. */
const HELD_KEYS = 100_000;

/** Settings of {@link compareContainers}. */
export interface CompareSettings {
  readonly source: DocumentStore;
  readonly target: DocumentStore;
  readonly reader: DocumentReader;
  readonly maxNamed: number;
  readonly pageItems: number;
  readonly signal: AbortSignal | undefined;
  /** Called with the number of documents looked at. */
  readonly onProgress: (documents: number) => void;
}

interface Summary {
  readonly sums: DigestSums;
  readonly documents: number;
}

function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % BUCKETS;
}

async function* documentsOf(store: DocumentStore, settings: CompareSettings): AsyncGenerator<readonly JsonObject[]> {
  const query = store.query<JsonObject>('SELECT * FROM c', { maxItemCount: settings.pageItems, signal: settings.signal });
  for (let page = await query.nextPage(); page !== undefined; page = await query.nextPage()) {
    throwIfAborted(settings.signal);
    yield page.items;
    settings.onProgress(page.items.length);
  }
}

async function summarize(store: DocumentStore, settings: CompareSettings): Promise<Summary> {
  const sums = new DigestSums(BUCKETS);
  let documents = 0;
  for await (const page of documentsOf(store, settings)) {
    for (const document of page) {
      const key = documentKey(document, settings.reader);
      sums.add(bucketOf(key), documentDigest(key, document, settings.reader));
    }
    documents += page.length;
  }
  return { sums, documents };
}

async function differencesIn(group: ReadonlySet<number>, settings: CompareSettings, limit: number): Promise<CopyDifference[]> {
  const held = new Map<string, string>();
  for await (const page of documentsOf(settings.source, settings)) {
    for (const document of page) {
      const key = documentKey(document, settings.reader);
      if (group.has(bucketOf(key))) {
        held.set(key, documentDigest(key, document, settings.reader));
      }
    }
  }
  const found: CopyDifference[] = [];
  const add = (kind: CopyDifferenceKind, key: string): void => {
    if (found.length < limit) {
      found.push({ kind, ...keyParts(key) });
    }
  };
  for await (const page of documentsOf(settings.target, settings)) {
    for (const document of page) {
      const key = documentKey(document, settings.reader);
      if (group.has(bucketOf(key))) {
        const digest = held.get(key);
        if (digest === undefined) {
          add('extra', key);
        } else if (digest !== documentDigest(key, document, settings.reader)) {
          add('different', key);
        }
        held.delete(key);
      }
    }
  }
  for (const key of held.keys()) {
    add('missing', key);
  }
  return found;
}

/** Whether a difference is still one: somebody may have written between the looks at the two sides. */
async function isStill({ source, target, reader, signal }: CompareSettings, { id, partitionKey }: CopyDifference): Promise<boolean> {
  const key = parsePartitionKeyText(partitionKey);
  const [left, right] = await Promise.all([source.read(id, key, { signal }), target.read(id, key, { signal })]);
  if (left === undefined || right === undefined) {
    return left !== right;
  }
  return contentText(left.document, reader) !== contentText(right.document, reader);
}

/**
 * Compares the documents of two containers by key: how many there are, and what they say, without what their stores added and whatever the order of
 * members. Memory does not grow with the containers: both are summed up first, and only the parts whose sums differ are looked at by key.
 */
export async function compareContainers(settings: CompareSettings): Promise<CopyComparison> {
  const source = await summarize(settings.source, settings);
  const target = await summarize(settings.target, settings);
  const found: CopyDifference[] = [];
  const groups = source.sums.differing(target.sums, HELD_KEYS);
  let looked = 0;
  for (const group of groups) {
    if (found.length > settings.maxNamed) {
      break;
    }
    looked += 1;
    found.push(...(await differencesIn(group, settings, settings.maxNamed + 1 - found.length)));
  }
  const differences: CopyDifference[] = [];
  for (const one of found.slice(0, settings.maxNamed)) {
    if (await isStill(settings, one)) {
      differences.push(one);
    }
  }
  const more = found.length > settings.maxNamed || looked < groups.length;
  return {
    equal: differences.length === 0 && !more,
    sourceDocuments: source.documents,
    targetDocuments: target.documents,
    differences,
    more,
  };
}
