import type { JsonValue } from '../core/json.ts';
import type { CallOptions, ResultInfo } from './operations.ts';
import type { PartitionKeyInput } from './partition-key.ts';
import type { UserDefinedFunctions } from './user-functions.ts';

/** A query: text, or text with parameters whose names include the `@`. */
export type QueryInput =
  | string
  | { readonly query: string; readonly parameters?: readonly { readonly name: string; readonly value: JsonValue }[] | undefined };

/** A half-open range of effective partition keys, as upper-case hexadecimal text: `''` to `'FF'` is everything. */
export interface EpkRange {
  readonly min: string;
  readonly max: string;
}

/**
 * What becomes of an ORDER BY that Cosmos DB could not serve from the indexes of the container: several keys without a composite index, or an
 * excluded path.
 *
 * - `lenient`: it runs anyway.
 * - `strict`: it is refused as the service refuses it.
 * - `policy`: `strict` for containers that state an index policy, `lenient` for those with the default one.
 */
export type OrderByMode = 'strict' | 'policy' | 'lenient';

export interface QueryOptions extends CallOptions {
  /** Restricts the query to one partition key, or to those with this prefix. A missing value is written `[undefined]`; an absent member means all. */
  readonly partitionKey?: PartitionKeyInput | undefined;
  /** Restricts the query to a range of effective partition keys. */
  readonly range?: EpkRange | undefined;
  /** Items of a page, from 1; 100 unless said otherwise. A page may hold fewer, also none, while there are more. */
  readonly maxItemCount?: number | undefined;
  /** Continues behind an earlier page of the same query. */
  readonly continuation?: string | undefined;
  /** The range that the continuation was issued for, `'all'` for none, where it is wider than {@link range}: what it holds of the narrower one goes on. */
  readonly issuedFor?: EpkRange | 'all' | undefined;
  /** `lenient` unless said otherwise. Cosmos DB itself is always strict. */
  readonly orderBy?: OrderByMode | undefined;
  /**
   * Functions that this query calls as `udf.name(…)`; of two with one name it wins over the backend's. All pages of a query are to have the
   * same ones: a continuation does not know them. Needs the capability `userDefinedFunctions`.
   */
  readonly userDefinedFunctions?: UserDefinedFunctions | undefined;
}

export interface ExplainOptions extends QueryOptions {
  /**
   * Has the store's engine run the statement of the explanation once more and measure it ({@link QueryExplanation.measured}), and try the index that it
   * advises on a sample. It costs what the query costs, and the sample; `false` unless said otherwise. Needs the capability `measuredPlans`.
   */
  readonly analyze?: boolean | undefined;
}

export interface QueryPage<R = JsonValue> extends ResultInfo {
  readonly items: readonly R[];
  /** Where the next page starts; `undefined` after the last. */
  readonly continuation: string | undefined;
  /** Documents that were looked at for this page. */
  readonly documentsScanned: number;
  /** Rows of FROM that passed WHERE, where the store tells. */
  readonly rowsMatched?: number | undefined;
  /** About how many bytes of documents were read, where the store tells. What its engine filters, cuts out or counts by itself is not among them. */
  readonly bytesRead?: number | undefined;
}

/** The result of a query: read it page by page, item by item, or whole. Each way may be used once. */
export interface QueryResult<R = JsonValue> extends AsyncIterable<R> {
  /** The next page, or `undefined` after the last. */
  nextPage(): Promise<QueryPage<R> | undefined>;
  pages(): AsyncIterable<QueryPage<R>>;
  /** All items; memory grows with them. */
  toArray(): Promise<R[]>;
}

export interface WatchOptions extends CallOptions {
  readonly partitionKey?: PartitionKeyInput | undefined;
  /** How often to look for changes where the backend cannot tell of them; 1,000 ms unless said otherwise. */
  readonly pollIntervalMs?: number | undefined;
}
