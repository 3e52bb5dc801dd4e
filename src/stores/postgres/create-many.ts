import { PerigeeError } from '../../core/errors.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import { decideWrite, type StoreOperation, type WriteOperation } from '../../store/write-rules.ts';
import type { AppliedWrite } from '../common/applied-write.ts';
import { documentKey } from '../common/document-key.ts';
import { refusalOr } from '../common/refusal-or.ts';
import { bigintArray, textArray } from './pg-arrays.ts';
import type { PostgresContainer } from './postgres-container.ts';
import { canWriteAlone } from './single-write.ts';

type Create = Extract<WriteOperation, { readonly type: 'create' }>;

/** A document that is there already, as far as a create has to know of it. */
const TAKEN = { etag: '', read: () => ({}) };

/**
 * Whether one statement can carry out all of these operations: creates of documents with different keys, in a container without unique keys and
 * recorded versions.
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
  const documents = operations.map(({ document }) => document);
  const keys = documents.map((document) => container.rowKey(document));
  const partitionKeys = [...new Set(keys.map(({ pk }) => pk))];
  const ts = container.nowSeconds();
  const [row] = await container.database.rows<{ positions: number[]; written: number[] | null }>('write to the PostgreSQL store', {
    text: container.statements.createMany,
    values: [
      container.info.etag,
      textArray(partitionKeys),
      documents.length,
      ts,
      textArray(keys.map(({ pk }) => pk)),
      textArray(keys.map(({ id }) => id)),
      textArray(documents.map((document) => container.epkOf(document))),
      bigintArray(documents.map((document) => container.expiryOf(document, ts))),
      textArray(documents.map(({ text }) => text)),
    ],
    name: container.statementName('createMany'),
  });
  const written = new Set(row?.written ?? []);
  return operations.map((operation, index) => {
    const position = row?.positions[index] as number;
    return written.has(position) ? applied(container, operation.document, position, ts) : refusalOf(operation);
  });
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
