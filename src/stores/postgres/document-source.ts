import type { JsonObject } from '../../core/json.ts';
import type { QuerySource, SourceBatch, SourceRow } from '../../query/executor/query-source.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { piece, scopeCondition, statementOf, value, type ScanScope } from './scan-scope.ts';
import { scanSlices, type Run, type ScannedRow } from './scan-slices.ts';

/** How the documents of a scope are given. */
export interface DocumentSourceOptions {
  /** Counts documents that the query is charged for. */
  readonly count: QuerySource['count'];
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
}

/** The documents of a scope, each parsed for this run alone. */
export function documentSource(
  container: PostgresContainer,
  scope: ScanScope,
  { count, expectedRows }: DocumentSourceOptions,
  run: Run,
): QuerySource {
  const { documents } = container.names;
  const rowOf = ({ ordinal, position, ts, body }: ScannedRow): SourceRow => ({
    ordinal,
    document: container.documentOf(body, ordinal, position, ts) as unknown as JsonObject,
  });
  return {
    count,
    async *scan({ afterOrdinal, signal }): AsyncGenerator<SourceBatch> {
      const condition = scopeCondition(scope, container.nowSeconds());
      for await (const slice of scanSlices(run, { documents, condition, behind: afterOrdinal, expectedRows, signal })) {
        const rows = slice.rows.map(rowOf);
        yield { rows, scannedTo: rows.at(-1)?.ordinal ?? afterOrdinal, looked: rows.length, bytes: slice.characters };
      }
    },
  };
}

/** Counts the living documents of a scope with an ordinal above one and up to another. */
export async function countDocuments(
  container: PostgresContainer,
  scope: ScanScope,
  behind: number,
  upTo: number,
  run: Run,
): Promise<number> {
  const condition = scopeCondition(scope, container.nowSeconds());
  const statement = piece`SELECT count(*) AS n FROM ${container.names.documents} WHERE ordinal > ${value('bigint', behind)} AND ordinal <= ${value('bigint', Math.min(upTo, Number.MAX_SAFE_INTEGER))} AND ${condition}`;
  return (await run<{ n: number }>(statementOf(statement)))[0]?.n ?? 0;
}
