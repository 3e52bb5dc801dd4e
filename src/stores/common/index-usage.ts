import { indexKey, indexText, type IndexColumn, type IndexDefinition } from '../../query/access/index-definition.ts';
import { proposeIndex } from '../../query/access/propose-indexes.ts';
import type { PreparedQuery } from '../../query/prepared-query.ts';
import type { QueryParameter } from '../../query/syntax-nodes.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { mayFollowUse } from './auto-index.ts';
import type { FormOf } from './wanted-indexes.ts';

/** An index that queries would have used, had it been there. */
export interface IndexAdvice {
  /** For people: `/type, /rank DESC`. */
  readonly index: string;
  readonly columns: readonly IndexColumn[];
  /** Pages of queries that it would have served, and the documents that were looked at for them instead. */
  readonly pages: number;
  readonly documentsScanned: number;
}

/** A page of a query that looked at many documents. */
export interface ScannedPage {
  readonly prepared: PreparedQuery;
  readonly parameters: readonly QueryParameter[];
  readonly definition: ContainerDefinition;
  readonly indexes: readonly IndexDefinition[];
  /** About how many documents the container has. */
  readonly documents: number;
  readonly documentsScanned: number;
  readonly itemsReturned: number;
}

/** A page is remembered where it looked at more documents than these, and at several times as many as it has items. */
const MIN_SCANNED = 256;
const MIN_RATIO = 4;
/** Advice that is remembered, by container. */
const MAX_ADVICE = 64;
/** Pages after which an index is made. */
export const PAGES_BEFORE_INDEX = 2;

/** Remembers which indexes queries on a container lack, in memory only: what is used will be used again. */
export class IndexUsage {
  readonly #advice = new Map<string, IndexAdvice>();
  readonly #formOf: FormOf;

  constructor(formOf: FormOf) {
    this.#formOf = formOf;
  }

  /** What was remembered, the most documents first. */
  get advice(): readonly IndexAdvice[] {
    return [...this.#advice.values()].sort((left, right) => right.documentsScanned - left.documentsScanned);
  }

  /** Remembers a page that no index served. Gives the index that it lacked, where that is known. */
  record({ prepared, parameters, definition, indexes, documents, documentsScanned, itemsReturned }: ScannedPage): IndexAdvice | undefined {
    if (documentsScanned < MIN_SCANNED || documentsScanned < itemsReturned * MIN_RATIO) {
      return undefined;
    }
    const computedProperties = new Set(definition.computedProperties.map(({ name }) => name));
    const isAllowed = (columns: readonly IndexColumn[]): boolean => mayFollowUse(columns, definition, this.#formOf);
    const proposed = proposeIndex(prepared, parameters, indexes, { computedProperties, documents, isAllowed });
    if (proposed === undefined) {
      return undefined;
    }
    const { columns } = proposed;
    const key = indexKey(columns);
    const before = this.#advice.get(key);
    const advice: IndexAdvice = {
      index: indexText({ columns }),
      columns,
      pages: (before?.pages ?? 0) + 1,
      documentsScanned: (before?.documentsScanned ?? 0) + documentsScanned,
    };
    this.#advice.delete(key);
    this.#advice.set(key, advice);
    if (this.#advice.size > MAX_ADVICE) {
      this.#advice.delete(this.#advice.keys().next().value as string);
    }
    return advice;
  }

  /** Forgets an index that is there now. */
  forget(columns: readonly IndexColumn[]): void {
    this.#advice.delete(indexKey(columns));
  }
}
