import { setOwn, type JsonObject } from '../../core/json.ts';
import type { SqliteOrderBy } from '../../query/compile/sqlite/compile-order-by.ts';
import type { SqliteProjection } from '../../query/compile/sqlite/compile-projection.ts';
import { isOddText } from '../../query/compile/sqlite/odd-documents.ts';
import type { QuerySource, SourceBatch, SourceRow } from '../../query/executor/query-source.ts';
import { scanSlices, type Read, type ScannedRow, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** How the documents of a query are read. */
export interface DocumentSourceOptions {
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  /** What the query reads of each; all of it when undefined. */
  readonly projection: SqliteProjection | undefined;
  /** Tells odd documents that pass the filter from those that do not, where SQLite does for all others; otherwise undefined. */
  readonly oddFilter: ((document: JsonObject) => boolean) | undefined;
  /** The order of the query, where SQLite can tell which documents come first in it and WHERE is exact. */
  readonly orderBy: SqliteOrderBy | undefined;
}

/** The SELECT list that cuts out what a query reads. */
export function projectedColumns({ columns, odd }: SqliteProjection): SliceColumns {
  const cut = columns.map((column, index) => `${column} AS p${index}`);
  return { sql: ['ordinal, position, ts', `${odd} AS odd`, ...cut].join(', '), parameters: [] };
}

function projectedDocument(container: SqliteContainer, row: ScannedRow, { names, readsSystemProperties }: SqliteProjection): JsonObject {
  const document = {};
  for (const [index, name] of names.entries()) {
    const text = row[`p${index}`];
    if (typeof text === 'string') {
      setOwn(document, name, JSON.parse(text));
    }
  }
  if (readsSystemProperties) {
    Object.assign(document, container.systemProperties(row.ordinal, row.position, row.ts));
  }
  return document as JsonObject;
}

/** The documents of a scope, each parsed for this run alone. */
export function documentSource(
  container: SqliteContainer,
  statements: ScanStatements,
  { expectedRows, projection, oddFilter, orderBy }: DocumentSourceOptions,
  read: Read,
): QuerySource {
  const columns = projection === undefined ? undefined : projectedColumns(projection);
  /** Undefined for an odd document that does not pass. */
  const rowOf = (row: ScannedRow): SourceRow | undefined => {
    const text = projection === undefined ? row.body : row['odd'];
    if (typeof text !== 'string') {
      return { ordinal: row.ordinal, document: projectedDocument(container, row, projection as SqliteProjection) };
    }
    const document = container.documentOf(text, row.ordinal, row.position, row.ts) as unknown as JsonObject;
    return oddFilter === undefined || !isOddText(text) || oddFilter(document) ? { ordinal: row.ordinal, document } : undefined;
  };
  return {
    async *scan({ afterOrdinal, signal, firstInOrder }): AsyncGenerator<SourceBatch> {
      let scannedTo = afterOrdinal;
      const first = orderBy === undefined || firstInOrder === undefined ? undefined : { orderBy, count: firstInOrder };
      for await (const slice of scanSlices(container, statements, { behind: afterOrdinal, expectedRows, signal, columns, first }, read)) {
        const rows = slice.rows.map(rowOf).filter((row) => row !== undefined);
        scannedTo = slice.next ?? slice.rows.at(-1)?.ordinal ?? scannedTo;
        yield { rows, scannedTo, looked: slice.looked };
      }
    },
  };
}
