import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { decideWrite, type StoreOperation, type WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { documentKey } from '../common/document-key.ts';
import { refusalOr } from '../common/refusal-or.ts';
import { copyRows, POSITIONS } from './copy-rows.ts';
import { bigintArray, textArray } from './pg-arrays.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { PgValue, TransactionSession } from './postgres-database.ts';
import { canWriteAlone } from './single-write.ts';

type Create = Extract<WriteOperation, { readonly type: 'create' }>;

/** Documents that are to be created, column by column. */
interface NewRows {
  readonly count: number;
  readonly ts: number;
  readonly pks: readonly string[];
  readonly ids: readonly string[];
  readonly epks: readonly string[];
  readonly expiries: readonly (number | null)[];
  readonly bodies: readonly string[];
}

/** What became of documents: all positions in their order, and those of the ones written; of all when undefined. */
interface Created {
  readonly positions: readonly number[];
  readonly written: ReadonlySet<number> | undefined;
}

/** A document that is there already, as far as a create has to know of it. */
const TAKEN = { etag: '', read: () => ({}) };

const WHAT = 'write to the PostgreSQL store';
const UNIQUE_VIOLATION = '23505';

/** From so many documents on a copy, which takes more turns to the server, takes less time in all. */
const LEAST_COPIED = 100;
/** After a copy that met a document, so many calls do without one: a load that runs again meets many. */
const CALLS_WITHOUT_COPY = 16;

/** How many calls are left that do without a copy. */
const callsWithoutCopy = new WeakMap<PostgresContainer, number>();

/**
 * Whether all of these operations can be carried out at once: creates of documents with different keys, in a container without unique keys and recorded
 * versions.
 */
export function isCreateMany(container: PostgresContainer, operations: readonly StoreOperation[]): operations is readonly Create[] {
  if (operations.length < 2 || !canWriteAlone(container)) {
    return false;
  }
  const keys = new Set<string>();
  for (const operation of operations) {
    if (operation.type !== 'create') {
      return false;
    }
    keys.add(documentKey(operation.document));
  }
  return keys.size === operations.length;
}

/** Carries out operations that {@link isCreateMany}, each by itself: gives what was written, or the error that refuses it. */
export async function createMany(
  container: PostgresContainer,
  operations: readonly Create[],
): Promise<readonly (AppliedWrite | PerigeeError)[]> {
  const rows = rowsOf(container, operations);
  const { positions, written } = await (copies(container, rows) ? copyAll : insertAll)(container, rows);
  const { ts } = rows;
  return operations.map((operation, index) => {
    const position = positions[index] as number;
    return written === undefined || written.has(position) ? applied(container, operation.document, position, ts) : refusalOf(operation);
  });
}

function rowsOf(container: PostgresContainer, operations: readonly Create[]): NewRows {
  const ts = container.nowSeconds();
  const documents = operations.map(({ document }) => document);
  const keys = documents.map((document) => container.rowKey(document));
  return {
    count: documents.length,
    ts,
    pks: keys.map(({ pk }) => pk),
    ids: keys.map(({ id }) => id),
    epks: documents.map((document) => container.epkOf(document)),
    expiries: documents.map((document) => container.expiryOf(document, ts)),
    bodies: documents.map(({ text }) => text),
  };
}

function copies(container: PostgresContainer, { count }: NewRows): boolean {
  const left = callsWithoutCopy.get(container) ?? 0;
  if (left > 0) {
    callsWithoutCopy.set(container, left - 1);
  }
  return left === 0 && count >= LEAST_COPIED;
}

function partitionKeysOf({ pks }: NewRows): readonly string[] {
  return [...new Set(pks)];
}

/** pk, id, epk, expires_at and body, in arrays. */
function arraysOf({ pks, ids, epks, expiries, bodies }: NewRows): readonly PgValue[] {
  return [textArray(pks), textArray(ids), textArray(epks), bigintArray(expiries), textArray(bodies)];
}

/** One statement, which leaves out what is there. */
async function insertAll(container: PostgresContainer, rows: NewRows): Promise<Created> {
  const [row] = await container.database.rows<{ positions: number[]; written: number[] | null }>(WHAT, {
    text: container.statements.createMany,
    values: [container.info.etag, textArray(partitionKeysOf(rows)), rows.count, rows.ts, ...arraysOf(rows)],
    name: container.statementName('createMany'),
  });
  return { positions: row?.positions ?? [], written: new Set(row?.written ?? []) };
}

/**
 * A copy, which takes no look at what is there: a document with the same key makes all of it fail. Then the same rows are inserted as by {@link insertAll},
 * under the locks and the positions that the transaction has.
 */
function copyAll(container: PostgresContainer, rows: NewRows): Promise<Created> {
  const { database, statements } = container;
  // Before the locks are taken, so that they are not held meanwhile.
  const copied = copiedRows(rows);
  return database.transaction(WHAT, async (session) => {
    const [entered] = await session.rows<{ positions: number[] }>({
      text: statements.enter,
      values: [container.info.etag, textArray(partitionKeysOf(rows)), rows.count],
      name: container.statementName('enter'),
    });
    const positions = entered?.positions ?? [];
    if (await copyIn(container, session, copied(positions))) {
      return { positions, written: undefined };
    }
    callsWithoutCopy.set(container, CALLS_WITHOUT_COPY);
    await session.rows({ text: 'ROLLBACK TO SAVEPOINT copied' });
    const written = await session.rows<{ position: number }>({
      text: statements.createEntered,
      values: [rows.ts, bigintArray(positions), ...arraysOf(rows)],
      name: container.statementName('createEntered'),
    });
    return { positions, written: new Set(written.map(({ position }) => position)) };
  });
}

/** The rows as they are copied in, but for their positions: in the order of the index of keys, whose pages are then gone through once. */
function copiedRows({ count, ts, pks, ids, epks, expiries, bodies }: NewRows): (positions: readonly number[]) => Buffer {
  const order = Array.from({ length: count }, (_, index) => index).sort((left, right) => {
    const [one, other] = [pks[left] as string, pks[right] as string];
    return one < other ? -1 : one > other ? 1 : left - right;
  });
  return copyRows([POSITIONS, pks, ids, POSITIONS, epks, ids.map(() => ts), expiries, bodies], order);
}

/** Copies rows in; false where a key is there already, and nothing was copied. */
async function copyIn(container: PostgresContainer, session: TransactionSession, data: Buffer): Promise<boolean> {
  try {
    await session.copy(container.statements.copy, data);
    return true;
  } catch (error) {
    if (isPerigeeError(error) && error.details['sqlState'] === UNIQUE_VIOLATION) {
      return false;
    }
    throw error;
  }
}

function applied(container: PostgresContainer, document: PreparedDocument, position: number, ts: number): AppliedWrite {
  return {
    type: 'create',
    key: document,
    document,
    previous: undefined,
    etag: container.etagOf(position, ts),
    position,
    ordinal: position,
    ts,
  };
}

/** What {@link decideWrite} says of a create whose document is there. */
function refusalOf(operation: Create): PerigeeError {
  const decision = refusalOr(() => decideWrite(operation, TAKEN, { paths: [], matches: () => false }));
  return decision instanceof PerigeeError
    ? decision
    : new PerigeeError('INTERNAL', `The document ${JSON.stringify(operation.document.id)} was not written, and nothing says why.`);
}
