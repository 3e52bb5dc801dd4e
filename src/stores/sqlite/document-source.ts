import { setOwn, type JsonObject } from '../../core/json.ts';
import type { SqliteProjection } from '../../query/compile/sqlite/compile-projection.ts';
import type { QuerySource, SourceBatch } from '../../query/executor/query-source.ts';
import { scanSlices, type Read, type ScannedRow, type SliceColumns } from './scan-slices.ts';
import type { ScanStatements } from './scan-statements.ts';
import type { SqliteContainer } from './sqlite-container.ts';

/** How the documents of a query are read. */
export interface DocumentSourceOptions {
  /** How many rows the reader is likely to take. */
  readonly expectedRows: number;
  /** What the query reads of each; all of it when undefined. */
  readonly projection: SqliteProjection | undefined;
}

/** The SELECT list that cuts out what a query reads. */
export function projectedColumns({ columns }: SqliteProjection): SliceColumns {
  return { sql: ['ordinal, position, ts', ...columns.map((column, index) => `${column} AS p${index}`)].join(', '), parameters: [] };
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
  { expectedRows, projection }: DocumentSourceOptions,
  read: Read,
): QuerySource {
  const columns = projection === undefined ? undefined : projectedColumns(projection);
  const documentOf = (row: ScannedRow): JsonObject =>
    projection === undefined
      ? (container.documentOf(row.body, row.ordinal, row.position, row.ts) as unknown as JsonObject)
      : projectedDocument(container, row, projection);
  return {
    async *scan({ afterOrdinal, signal }): AsyncGenerator<SourceBatch> {
      let scannedTo = afterOrdinal;
      for await (const slice of scanSlices(container, statements, { behind: afterOrdinal, expectedRows, signal, columns }, read)) {
        const rows = slice.rows.map((row) => ({ ordinal: row.ordinal, document: documentOf(row) }));
        scannedTo = slice.next ?? rows.at(-1)?.ordinal ?? scannedTo;
        yield { rows, scannedTo, looked: slice.looked };
      }
    },
  };
}
