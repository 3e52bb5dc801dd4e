import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { QueryExplanation, QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { Read } from './scan-slices.ts';
import type { SqliteContainer } from './sqlite-container.ts';

function refuse(): never {
  throw new PerigeeError('QUERY_NOT_SUPPORTED', 'The SQLite backend does not run queries yet.');
}

/** Runs one page of a query. */
export async function runQueryPage(
  _container: SqliteContainer,
  _request: QueryRequest,
  _read: Read,
): Promise<Omit<QueryPage<unknown>, 'session'>> {
  return refuse();
}

/** Runs a query to its end and tells how. */
export async function explainQuery(_container: SqliteContainer, _request: QueryRequest, _read: Read): Promise<QueryExplanation> {
  return refuse();
}

/** Whether the condition of a patch, such as `from c where c.stock > 0`, holds for a document. */
export function matchesCondition(_condition: string, _document: JsonObject): boolean {
  return refuse();
}
