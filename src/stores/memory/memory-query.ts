import { PerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { QueryExplanation, QueryPage } from '../../store/queries.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';
import type { MemoryDraft } from './memory-draft.ts';

function refuse(): never {
  throw new PerigeeError('QUERY_NOT_SUPPORTED', 'The memory backend does not run queries yet.');
}

/** Runs one page of a query over the rows that a draft sees. */
export async function runQueryPage(
  _draft: MemoryDraft,
  _request: QueryRequest,
  _runtime: Runtime,
): Promise<Omit<QueryPage<unknown>, 'session'>> {
  return refuse();
}

/** Runs a query to its end and tells how. */
export async function explainQuery(_draft: MemoryDraft, _request: QueryRequest, _runtime: Runtime): Promise<QueryExplanation> {
  return refuse();
}

/** Whether the condition of a patch, such as `from c where c.stock > 0`, holds for a document. */
export function matchesCondition(_condition: string, _document: JsonObject): boolean {
  return refuse();
}
