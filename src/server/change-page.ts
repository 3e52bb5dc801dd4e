import type { ChangesFrom, ChangesOptions } from '../store/changes.ts';
import { latestChangeText, versionChangeText } from './change-text.ts';
import type { OpenContainer } from './container-registry.ts';

/** About how many bytes of documents one answer has; the service's pages end there too. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Changes that are read before anything is known of their size. */
const FIRST_READ = 32;

/** A page of changes, ready to be sent. */
export interface WireChangePage {
  /** Documents as JSON texts. */
  readonly documents: readonly string[];
  readonly cursor: string;
  readonly requestUnits: number;
  readonly session: string | undefined;
}

/** Reads changes until there are enough of them, or enough bytes, or nothing more; an empty page means that nothing had changed. */
export async function readChangePage(
  container: OpenContainer,
  start: ChangesFrom,
  maxItemCount: number,
  options: Omit<ChangesOptions, 'from' | 'maxItemCount'>,
): Promise<WireChangePage> {
  const documents: string[] = [];
  let from = start;
  let bytes = 0;
  let requestUnits = 0;
  for (;;) {
    const room = documents.length === 0 ? FIRST_READ : Math.max(1, Math.floor(((PAGE_BYTES - bytes) * documents.length) / bytes));
    const page = await container.store
      .changes({
        ...options,
        issuedFor: from === start ? options.issuedFor : undefined,
        from,
        maxItemCount: Math.min(room, maxItemCount - documents.length),
      })
      .nextPage();
    for (const change of page.changes) {
      const text = options.mode === 'all' ? versionChangeText(change, container) : latestChangeText(change);
      bytes += text.length;
      documents.push(text);
    }
    requestUnits += page.requestUnits;
    const isFull = documents.length > 0 && (documents.length >= maxItemCount || bytes >= PAGE_BYTES);
    if (page.caughtUp || isFull) {
      return { documents, cursor: page.cursor, requestUnits, session: page.session };
    }
    from = { cursor: page.cursor };
  }
}
