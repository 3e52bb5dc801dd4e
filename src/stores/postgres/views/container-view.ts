import { createHash } from 'node:crypto';
import { isPerigeeError } from '../../../core/errors.ts';
import { quoteText } from '../../../query/compile/postgres/literal.ts';
import { unescapeText } from '../../../query/compile/postgres/nul-text.ts';
import type { ContainerRow } from '../container-row.ts';
import { quoteName } from '../names.ts';
import type { Session } from '../postgres-database.ts';
import { quoteViewName, viewName, type ViewName } from './view-names.ts';
import { viewSelect } from './view-statement.ts';

/** What says that a schema of views is ours. */
export const SCHEMA_MARK = 'perigee views';
/** A view cannot be replaced by one that lacks a column. */
const OTHER_COLUMNS_STATE = '42P16';
const FINGERPRINT_CHARACTERS = 16;

/** What a view of ours is commented with: the container, and what the view was made of. */
export function viewMark(number: number, select: string): string {
  return `perigee container ${number}, ${createHash('sha256').update(select).digest('hex').slice(0, FINGERPRINT_CHARACTERS)}`;
}

async function nameOf(session: Session, prefix: string, { database, id }: ContainerRow): Promise<ViewName | undefined> {
  const text = `SELECT id FROM ${quoteName(prefix)}.databases WHERE number = $1`;
  const [found] = await session.rows<{ id: string }>({ text, values: [database] });
  return found === undefined ? undefined : viewName(prefix, unescapeText(found.id), id);
}

/** The mark of what has a name; `null` for something of somebody else, `undefined` for nothing. */
async function markOf(session: Session, name: ViewName, number: number): Promise<string | null | undefined> {
  const [found] = await session.rows<{ kind: string; mark: string | null }>({
    text: `SELECT c.relkind AS kind, obj_description(c.oid, 'pg_class') AS mark FROM pg_class c WHERE c.oid = to_regclass($1)`,
    values: [quoteViewName(name)],
  });
  const isOurs = found?.kind === 'v' && found.mark?.startsWith(`perigee container ${number}, `) === true;
  return found === undefined ? undefined : isOurs ? found.mark : null;
}

/** Drops the view of a container, where it has one; says whether it had. Within a transaction. */
export async function dropView(session: Session, prefix: string, row: ContainerRow): Promise<boolean> {
  const name = await nameOf(session, prefix, row);
  if (name === undefined || typeof (await markOf(session, name, row.number)) !== 'string') {
    return false;
  }
  await session.rows({ text: `DROP VIEW ${quoteViewName(name)}` });
  return true;
}

/**
 * Makes the view of a container agree with what the catalogue says of it. Within a transaction.
 *
 * @param mode `follow`: only where there is one
 */
export async function refreshView(
  session: Session,
  prefix: string,
  row: ContainerRow,
  mode: 'make' | 'follow',
): Promise<'made' | 'left' | 'foreign'> {
  const name = await nameOf(session, prefix, row);
  const present = name === undefined ? undefined : await markOf(session, name, row.number);
  const select = viewSelect(prefix, row);
  const mark = viewMark(row.number, select);
  if (name === undefined || present === mark || (present === undefined && mode === 'follow')) {
    return 'left';
  }
  if (present === null) {
    return 'foreign';
  }
  const [schema, view] = [quoteName(name.schema), quoteViewName(name)];
  if (present === undefined) {
    await session.rows({ text: `CREATE SCHEMA IF NOT EXISTS ${schema}` });
    await session.rows({ text: `COMMENT ON SCHEMA ${schema} IS '${SCHEMA_MARK}'` });
  }
  await session.rows({ text: 'SAVEPOINT perigee_view' });
  try {
    // In place where that can be, which keeps rights and the views of others.
    await session.rows({ text: `CREATE OR REPLACE VIEW ${view} AS ${select}` });
  } catch (error) {
    if (!isPerigeeError(error) || error.details['sqlState'] !== OTHER_COLUMNS_STATE) {
      throw error;
    }
    await session.rows({ text: 'ROLLBACK TO SAVEPOINT perigee_view' });
    await session.rows({ text: `DROP VIEW ${view}` });
    await session.rows({ text: `CREATE VIEW ${view} AS ${select}` });
  }
  await session.rows({ text: 'RELEASE SAVEPOINT perigee_view' });
  await session.rows({ text: `COMMENT ON VIEW ${view} IS ${quoteText(mark) as string}` });
  return 'made';
}
