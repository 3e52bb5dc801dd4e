import { quoteText } from '../../../query/compile/postgres/literal.ts';
import { readDefinition } from '../../common/definition-text.ts';
import { erasOf } from '../../common/stored-container.ts';
import { readColumns } from '../columns/column-definition.ts';
import { RELEASED, stepsTo } from '../columns/column-sql.ts';
import type { ContainerRow } from '../container-row.ts';
import { containerNames, quoteName } from '../names.ts';

/** `versionEtag` in SQL. */
function etagExpression(s: string, row: Pick<ContainerRow, 'incarnation' | 'etags'>): string {
  const literal = (text: string): string => quoteText(text) as string;
  const eras = erasOf(row).map(({ upTo, incarnation }) => `WHEN d.position <= ${String(upTo)} THEN ${literal(incarnation)} `);
  const incarnation = eras.length === 0 ? literal(row.incarnation) : `CASE ${eras.join('')}ELSE ${literal(row.incarnation)} END`;
  return `'"' || ${incarnation} || '-' || d.position || '-' || ${s}.base36(d.ts) || '"'`;
}

function partitionKeyExpression(s: string, paths: readonly string[]): string {
  const values = paths.map((path) => {
    const steps = stepsTo(path);
    return `CASE WHEN d.doc IS NULL THEN ${s}.column_told(d.body, ${s}.column_whole(d.body)${steps}) ELSE d.doc${steps} END`;
  });
  return values.length === 1 ? (values[0] as string) : `jsonb_build_array(${values.join(', ')})`;
}

/**
 * What the view of a container selects. The second item of FROM holds nothing and costs nothing; because of it nobody can write through the view, which
 * would go past the change feed.
 */
export function viewSelect(prefix: string, row: ContainerRow): string {
  const s = quoteName(prefix);
  const { documents } = containerNames(prefix, row.database, row.number);
  const columns = readColumns(row.columns);
  const items = [
    'd.id',
    `${partitionKeyExpression(s, readDefinition(row.definition).partitionKey.paths)} AS partition_key`,
    'd.ts AS _ts',
    `${etagExpression(s, row)} AS _etag`,
    'd.doc AS body',
    ...columns.filter(({ isReady }) => isReady).map(({ name }) => `d.${quoteName(name)}`),
  ];
  const isLiving = '(d.expires_at IS NULL OR d.expires_at > extract(epoch FROM statement_timestamp()))';
  const isHeld = columns.length === 0 ? '' : ` AND NOT d.${RELEASED}`;
  return `SELECT ${items.join(', ')} FROM ${documents} AS d, (SELECT) AS read_only WHERE ${isLiving}${isHeld}`;
}
