import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { decideWrite, keyOf, type PreparedKey, type WriteOperation, type WriteRules } from '../../store/write-rules.ts';
import type { AppliedWrite, PreviousVersion } from '../common/applied-write.ts';
import { columnRefusal } from './columns/column-refusal.ts';
import type { DocumentRow } from './container-row.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgRow, PgValue, PostgresDatabase } from './postgres-database.ts';

/** A document that others keep changing is written under the lock of its partition key after so many attempts. */
const MAX_ATTEMPTS = 3;

const WHAT = 'write to the PostgreSQL store';

/** Whether single statements do all that a write to a container has to do, by the definition that is known now. */
export function canWriteAlone({ uniquePaths, isRecording }: PostgresContainer): boolean {
  return uniquePaths.length === 0 && !isRecording;
}

/**
 * Carries out one write by single statements, each a transaction of its own: what the document is, is read first, and the statement that writes holds
 * only where it is still so. Gives `undefined` where others were faster every time.
 *
 * For containers without unique keys and recorded versions ({@link canWriteAlone}). @throws what `decideWrite` throws
 */
export async function singleWrite(
  container: PostgresContainer,
  operation: WriteOperation,
  rules: WriteRules,
): Promise<AppliedWrite | undefined> {
  // That of now, to the end: by another definition there may be more to do than a single statement does, and with this etag it is refused then.
  const { etag } = container.info;
  if (operation.type === 'create') {
    const created = await create(container, etag, operation.type, operation.document);
    // A row was there: whether a living one, and what is to be said of it, follows below.
    if (created !== undefined) {
      return created;
    }
  } else if (operation.type === 'upsert' && operation.ifMatch === undefined) {
    return upsert(container, etag, operation.document);
  }
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const applied = await attemptOnce(container, etag, operation, rules);
    if (applied !== undefined) {
      return applied;
    }
  }
  return undefined;
}

/** The living row of a key. */
export async function findRow(
  container: PostgresContainer,
  key: PreparedKey,
  database: PostgresDatabase = container.database,
): Promise<DocumentRow | undefined> {
  const { pk, id } = container.rowKey(key);
  const [row] = await database.read<DocumentRow>('read from the PostgreSQL store', {
    text: container.statements.find,
    values: [pk, id],
    name: container.statementName('find'),
  });
  return row === undefined || container.isExpired(row) ? undefined : row;
}

async function attemptOnce(
  container: PostgresContainer,
  etag: string,
  operation: WriteOperation,
  rules: WriteRules,
): Promise<AppliedWrite | undefined> {
  const key = keyOf(operation);
  const before = await findRow(container, key);
  const decision = decideWrite(operation, before && container.versions.current(before), rules);
  if (decision.action === 'delete') {
    return remove(container, etag, key, before as DocumentRow);
  }
  return before === undefined
    ? create(container, etag, operation.type, decision.document)
    : replace(container, etag, operation.type, decision.document, before);
}

async function create(
  container: PostgresContainer,
  etag: string,
  type: WriteOperation['type'],
  document: PreparedDocument,
): Promise<AppliedWrite | undefined> {
  const { values, ts } = newRow(container, etag, document);
  const [row] = await run<{ position: number }>(container, 'create', values);
  return row === undefined
    ? undefined
    : written(container, type, document, { ordinal: row.position, position: row.position, ts }, undefined);
}

interface UpsertedRow extends PgRow, Partial<DocumentRow> {
  readonly new_ordinal: number;
  readonly new_position: number;
}

async function upsert(container: PostgresContainer, etag: string, document: PreparedDocument): Promise<AppliedWrite> {
  const { values, ts } = newRow(container, etag, document);
  const [row] = (await run<UpsertedRow>(container, 'upsert', values)) as readonly [UpsertedRow];
  const place = { ordinal: row.new_ordinal, position: row.new_position, ts };
  // What was there is read as the statement began: another may have come since, or gone, and only the charge would tell.
  const isNew = row.new_ordinal === row.new_position;
  const before = isNew || typeof row.body !== 'string' ? undefined : container.versions.previous(row as DocumentRow);
  const lost: PreviousVersion | undefined = isNew
    ? undefined
    : { etag: '', position: row.new_ordinal, ordinal: row.new_ordinal, ts, text: document.text };
  return written(container, 'upsert', document, place, before ?? lost);
}

async function replace(
  container: PostgresContainer,
  etag: string,
  type: WriteOperation['type'],
  document: PreparedDocument,
  before: DocumentRow,
): Promise<AppliedWrite | undefined> {
  const ts = container.nowSeconds();
  const { pk, id } = container.rowKey(document);
  const values = [pk, id, ts, container.expiryOf(document, ts), document.text, before.position, etag];
  const [row] = await run<{ position: number }>(container, 'replace', values);
  return row === undefined
    ? undefined
    : written(container, type, document, { ordinal: before.ordinal, position: row.position, ts }, container.versions.previous(before));
}

async function remove(
  container: PostgresContainer,
  etag: string,
  key: PreparedKey,
  before: DocumentRow,
): Promise<AppliedWrite | undefined> {
  const { pk, id } = container.rowKey(key);
  const [row] = await run<{ position: number }>(container, 'delete', [pk, id, before.position, etag]);
  return row === undefined
    ? undefined
    : {
        type: 'delete',
        key,
        document: undefined,
        previous: container.versions.previous(before),
        etag: undefined,
        position: row.position,
        ordinal: before.ordinal,
        ts: container.nowSeconds(),
      };
}

function newRow(
  container: PostgresContainer,
  etag: string,
  document: PreparedDocument,
): { readonly values: readonly PgValue[]; readonly ts: number } {
  const ts = container.nowSeconds();
  const { pk, id } = container.rowKey(document);
  const expiresAt = container.expiryOf(document, ts);
  return { values: [pk, id, container.epkOf(document), ts, expiresAt, document.text, ts, etag], ts };
}

function written(
  container: PostgresContainer,
  type: WriteOperation['type'],
  document: PreparedDocument,
  { ordinal, position, ts }: { readonly ordinal: number; readonly position: number; readonly ts: number },
  previous: PreviousVersion | undefined,
): AppliedWrite {
  return { type, key: document, document, previous, etag: container.etagOf(position, ts), position, ordinal, ts };
}

async function run<R extends PgRow>(
  container: PostgresContainer,
  kind: 'create' | 'upsert' | 'replace' | 'delete',
  values: readonly PgValue[],
): Promise<readonly R[]> {
  try {
    return await container.database.rows<R>(WHAT, { text: container.statements[kind], values, name: container.statementName(kind) });
  } catch (error) {
    // A row of a container without unique keys has one key only, but for columns, and a statement that adds it gives way to a row with that.
    if (isPerigeeError(error) && error.details['sqlState'] === '23505' && columnRefusal(container, error) === undefined) {
      throw new PerigeeError('STORE_CORRUPT', 'A document is in an index of the store and not in its table. Restore a copy.', {
        cause: error,
      });
    }
    throw error;
  }
}
