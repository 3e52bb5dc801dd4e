import type { SqlProjection } from '../../query/compile/common/sql-plan.ts';
import { UNDEFINED_TEXT, unfolder, type FoldedRow } from '../common/folded-rows.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { piece } from './scan-scope.ts';
import { boundedRows, type SliceReader } from './scan-slices.ts';

/** Reads of documents only what a query reads, folded into one row; a slice with odd documents is read whole. */
export function foldingReader(container: PostgresContainer, projection: SqlProjection): SliceReader {
  const { columns, readsSystemProperties } = projection;
  const names = columns.map((_, index) => `p${index}`);
  const unfold = unfolder(container, projection);
  const cut = columns.map((column, index) => `coalesce(${column}, '${UNDEFINED_TEXT}') AS p${index}`);
  const together = (column: string): string => `string_agg(${column}, ',' ORDER BY ordinal)`;
  const folded = [
    'count(*) AS rows',
    'max(ordinal) AS last',
    'max(total) AS total',
    'count(*) FILTER (WHERE odd) AS odd',
    `${together('ordinal::text')} AS ordinals`,
    ...(readsSystemProperties ? [`${together('position::text')} AS positions`, `${together('ts::text')} AS times`] : []),
    ...names.map((name) => `${together(name)} AS ${name}`),
  ];
  return {
    columns: ['ordinal', 'position', 'ts', 'doc IS NULL AS odd', ...cut].join(', '),
    statement: (rows) => {
      const bytes = ['0', ...names.map((name) => `octet_length(${name})`)].join(' + ');
      const bounded = boundedRows(rows, 'ordinal', { columns: ['ordinal', 'position', 'ts', 'odd', ...names].join(', '), bytes });
      return piece`SELECT ${folded.join(', ')} FROM (${bounded}) AS bounded`;
    },
    read: (row: FoldedRow) => (Number(row['odd']) > 0 ? undefined : unfold(row)),
  };
}
