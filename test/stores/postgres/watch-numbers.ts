import { onTestFinished } from 'vitest';
import type { DocumentStore } from '../../../src/store/document-store.ts';
import type { Counted } from './two-backends.ts';

/** What a query over all documents gives each time that it is looked at again. */
export function watchNumbers(store: DocumentStore<Counted>): () => Promise<readonly number[]> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  // It does not look by itself within the time of a test: the store has to tell.
  const results = store
    .watch<number>('SELECT VALUE c.n FROM c', { signal: abort.signal, pollIntervalMs: 1_000_000 })
    [Symbol.asyncIterator]();
  return async () => (await results.next()).value as readonly number[];
}
