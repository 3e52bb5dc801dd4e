import { quoteText } from '../../../query/compile/postgres/literal.ts';
import { parsePropertyPath } from '../../../store/partition-key.ts';
import { quoteName, type ContainerNames } from '../names.ts';
import type { StoredColumn } from './column-definition.ts';
import { MISFIT_STATE } from './column-functions.ts';

/** The column that says that a row has expired and its unique values are another's. */
export const RELEASED = 'perigee_released';
const TRIGGER = 'perigee_columns';

type Definition = Pick<StoredColumn, 'name' | 'path' | 'type'>;

/** What stands at a path of a whole document, as SQL. The steps lead through objects only, as `->` with a text does. */
export function stepsTo(path: string): string {
  // Paths that have no literal were refused when they were promoted, and others when the container was made.
  return parsePropertyPath(path)
    .map((name) => ` -> ${quoteText(name) ?? 'NULL::text'}`)
    .join('');
}

function castTo(s: string, { type }: Pick<Definition, 'type'>, value: string): string {
  return `${s}.column_${type.replaceAll(' ', '_')}(${value})`;
}

/** The value of a column as SQL, of the text of a document. */
export function columnValue(s: string, column: Definition, body: string): string {
  return castTo(s, column, `${s}.column_told(${body}, ${s}.column_whole(${body})${stepsTo(column.path)})`);
}

/** Whether the text of a document has something at a column's path that is not its value. */
export function hasMisfit(s: string, column: Definition, body: string): string {
  const found = `jsonb_typeof(${s}.column_whole(${body})${stepsTo(column.path)})`;
  return `coalesce(${found}, 'null') <> 'null' AND ${columnValue(s, column, body)} IS NULL`;
}

/** What a unique column's index holds of a value: never more than an entry may have. */
export function columnKey(s: string, { type }: Pick<Definition, 'type'>, value: string): string {
  return type === 'text' ? `${s}.column_key(${value})` : type === 'jsonb' ? `${s}.column_key((${value})::text)` : value;
}

/** The name of a unique column's index, in the schema of its table. */
export function columnIndexName(container: number, column: Pick<StoredColumn, 'number'>): string {
  return `c${container}_k${column.number}`;
}

/** The number of the column of an index; `undefined` for another index. */
export function columnOfIndex(container: number, index: string): number | undefined {
  const prefix = `c${container}_k`;
  return index.startsWith(prefix) && /^\d+$/u.test(index.slice(prefix.length)) ? Number(index.slice(prefix.length)) : undefined;
}

/** Makes the index of a unique column. */
export function createColumnIndex(
  s: string,
  names: ContainerNames,
  container: number,
  column: StoredColumn,
  how: '' | 'CONCURRENTLY ',
): string {
  const key = columnKey(s, column, quoteName(column.name));
  const collation = column.type === 'text' || column.type === 'jsonb' ? ' COLLATE "C"' : '';
  return `CREATE UNIQUE INDEX ${how}${columnIndexName(container, column)} ON ${names.documents} ((${key})${collation}) WHERE NOT ${RELEASED}`;
}

function triggerFunction({ schema }: Pick<ContainerNames, 'schema'>, container: number): string {
  return `${schema}.c${container}_columns()`;
}

function assignment(s: string, column: StoredColumn): string {
  const target = `NEW.${quoteName(column.name)}`;
  const misfit = `coalesce(jsonb_typeof(value), 'null') <> 'null'`;
  return `value := whole${stepsTo(column.path)};
  ${target} := ${castTo(s, column, `${s}.column_told(NEW.body, value)`)};
  IF is_write AND ${target} IS NULL${column.notNull ? '' : ` AND ${misfit}`} THEN
    RAISE EXCEPTION 'a document does not fit a column' USING ERRCODE = '${MISFIT_STATE}', COLUMN = ${quoteText(column.name) as string};
  END IF;`;
}

/**
 * Statements that have a trigger keep columns equal to the documents, or none where there are none.
 *
 * A write that does not fit is refused. What does not fit and was there before, as an expired row may be, is no value, so that rows may be touched that
 * nobody writes to.
 */
export function keepColumns(s: string, names: ContainerNames, container: number, columns: readonly StoredColumn[]): readonly string[] {
  const made = triggerFunction(names, container);
  const drop = `DROP TRIGGER IF EXISTS ${TRIGGER} ON ${names.documents}`;
  if (columns.length === 0) {
    return [drop, `DROP FUNCTION IF EXISTS ${made}`];
  }
  const body = `DECLARE
  whole jsonb := ${s}.column_whole(NEW.body);
  value jsonb;
  is_write boolean := TG_OP = 'INSERT' OR NEW.position <> OLD.position OR NEW.body <> OLD.body;
BEGIN
  IF is_write THEN
    NEW.${RELEASED} := false;
  END IF;
  ${columns.map((column) => assignment(s, column)).join('\n  ')}
  RETURN NEW;
END`;
  return [
    // As a literal, since what stands in a path may end any other quotes.
    `CREATE OR REPLACE FUNCTION ${made} RETURNS trigger LANGUAGE plpgsql AS ${quoteText(body) as string}`,
    drop,
    `CREATE TRIGGER ${TRIGGER} BEFORE INSERT OR UPDATE ON ${names.documents} FOR EACH ROW EXECUTE FUNCTION ${made}`,
  ];
}

/** Drops what of the columns of a container is not part of its table. */
export function dropColumnTrigger(names: Pick<ContainerNames, 'schema'>, container: number): string {
  return `DROP FUNCTION IF EXISTS ${triggerFunction(names, container)}`;
}

/** Adds columns to a table, which is done in no time however large it is. */
export function addColumns({ documents }: ContainerNames, columns: readonly StoredColumn[]): string {
  const added = columns.map(({ name, type }) => `ADD COLUMN ${quoteName(name)} ${type}`);
  return `ALTER TABLE ${documents} ADD COLUMN IF NOT EXISTS ${RELEASED} boolean NOT NULL DEFAULT false, ${added.join(', ')}`;
}

/** Takes columns away, with their indexes. */
export function removeColumns({ documents }: ContainerNames, columns: readonly StoredColumn[], remaining: readonly StoredColumn[]): string {
  const names = columns.map(({ name }) => quoteName(name));
  return `ALTER TABLE ${documents} ${[...names, ...(remaining.length === 0 ? [RELEASED] : [])].map((name) => `DROP COLUMN IF EXISTS ${name}`).join(', ')}`;
}
