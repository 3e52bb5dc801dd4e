import type { StoredDocument } from '../../store/document.ts';
import type { CallOptions, ReadManyResult } from '../../store/operations.ts';
import type { PreparedKey } from '../../store/write-rules.ts';
import type { ContainerLink } from './container-link.ts';
import { readDocument } from './document-requests.ts';
import { forEachBounded } from './for-each-bounded.ts';
import type { QueryPager } from './query-pages.ts';

/** Ids asked for in one query. */
const CHUNK_IDS = 100;
/** Up to this many documents of a partition key are read one by one: a point read costs less than any query. */
const POINT_READS = 2;

/** Reads many documents: those of one partition key together, different keys side by side. */
export async function readManyDocuments<T extends object>(
  link: ContainerLink,
  pager: QueryPager,
  keys: readonly PreparedKey[],
  options: CallOptions,
  maxConcurrency: number,
): Promise<ReadManyResult<T>> {
  const chunks = chunksOf(keys);
  const found = new Map<string, StoredDocument<T>>();
  let requestUnits = 0;
  let { session } = options;
  await forEachBounded(chunks, maxConcurrency, async (chunk) => {
    const results = chunk.length <= POINT_READS ? readEach<T>(link, chunk, options) : readByQuery<T>(pager, chunk, options);
    for await (const result of results) {
      requestUnits += result.requestUnits;
      session = result.session ?? session;
      for (const document of result.documents) {
        found.set(nameOf(chunk[0] as PreparedKey, document.id), document);
      }
    }
  });
  return { documents: keys.map((key) => found.get(nameOf(key, key.id))), requestUnits, session };
}

function nameOf(key: PreparedKey, id: string): string {
  return JSON.stringify([key.partitionKeyText, id]);
}

/** The distinct keys, in chunks of one partition key each. */
function chunksOf(keys: readonly PreparedKey[]): readonly (readonly PreparedKey[])[] {
  const groups = new Map<string, Map<string, PreparedKey>>();
  for (const key of keys) {
    const group = groups.get(key.partitionKeyText) ?? new Map<string, PreparedKey>();
    group.set(key.id, key);
    groups.set(key.partitionKeyText, group);
  }
  const chunks: PreparedKey[][] = [];
  for (const group of groups.values()) {
    const members = Array.from(group.values());
    for (let start = 0; start < members.length; start += CHUNK_IDS) {
      chunks.push(members.slice(start, start + CHUNK_IDS));
    }
  }
  return chunks;
}

interface Found<T extends object> {
  readonly documents: readonly StoredDocument<T>[];
  readonly requestUnits: number;
  readonly session: string | undefined;
}

async function* readEach<T extends object>(
  link: ContainerLink,
  chunk: readonly PreparedKey[],
  options: CallOptions,
): AsyncGenerator<Found<T>> {
  for (const key of chunk) {
    const result = await readDocument<T>(link, key, options);
    yield {
      documents: result === undefined ? [] : [result.document],
      requestUnits: result?.requestUnits ?? 1,
      session: result?.session,
    };
  }
}

async function* readByQuery<T extends object>(
  pager: QueryPager,
  chunk: readonly PreparedKey[],
  options: CallOptions,
): AsyncGenerator<Found<T>> {
  const parameters = chunk.map((key, index) => ({ name: `@id${index}`, value: key.id }));
  const query = `SELECT * FROM c WHERE c.id IN (${parameters.map(({ name }) => name).join(', ')})`;
  let continuation: string | undefined;
  do {
    const page = await pager.readPage({
      query,
      parameters,
      partitionKey: (chunk[0] as PreparedKey).partitionKey,
      range: undefined,
      maxItemCount: CHUNK_IDS,
      continuation,
      orderBy: 'lenient',
      session: options.session,
      signal: options.signal,
    });
    yield { documents: page.items as unknown as readonly StoredDocument<T>[], requestUnits: page.requestUnits, session: page.session };
    ({ continuation } = page);
  } while (continuation !== undefined);
}
