import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { BatchOperation, BulkOperation, BulkResult, OperationOutcome } from '../../store/operations.ts';
import { STORE_LIMITS } from '../../store/limits.ts';
import { parsePartitionKeyText } from '../../store/partition-key.ts';
import { operationList, wireOperation, wireOutcome } from '../batch-json.ts';
import type { OpenContainer } from '../container-registry.ts';
import { checkDocumentKey, storeKey } from '../document-key.ts';
import { documentHeaders, sessionOf } from '../document-reply.ts';
import { rangeById } from '../partitions/partition-layout.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { refuseTriggers } from '../triggered-request.ts';
import { header } from '../wire-headers.ts';

/** An operation, or why it cannot be done. */
type BulkItem = { readonly type: BatchOperation['type']; readonly operation: BulkOperation } | { readonly error: PerigeeError };

function bulkItem(container: OpenContainer, given: unknown): BulkItem {
  try {
    const { operation, partitionKey: text } = wireOperation(given);
    const partitionKey = text === undefined ? undefined : storeKey(container, parsePartitionKeyText(text));
    if ('document' in operation) {
      if (partitionKey !== undefined) {
        checkDocumentKey(container, partitionKey, operation.document);
      }
      return { type: operation.type, operation };
    }
    if (partitionKey === undefined) {
      throw new PerigeeError('BAD_REQUEST', 'An operation without a document names its partition key.');
    }
    return { type: operation.type, operation: { ...operation, partitionKey } };
  } catch (error) {
    if (!isPerigeeError(error)) {
      throw error;
    }
    return { error };
  }
}

const refused = (error: PerigeeError): OperationOutcome => ({ ok: false, error, requestUnits: 0 });

/** Runs all operations that can be done at once; the outcomes are in the order given. */
async function runAll(container: OpenContainer, items: readonly BulkItem[], session: string | undefined): Promise<BulkResult> {
  const operations = items.flatMap((item) => ('error' in item ? [] : [item.operation]));
  const result = await container.store.bulk(operations, { session });
  const done = result.outcomes[Symbol.iterator]();
  const outcomes = items.map((item) => ('error' in item ? refused(item.error) : (done.next().value as OperationOutcome)));
  return { ...result, outcomes };
}

/** Runs operations one after the other until one fails; those behind it are not tried. */
async function runUntilFailure(container: OpenContainer, items: readonly BulkItem[], session: string | undefined): Promise<BulkResult> {
  const outcomes: OperationOutcome[] = [];
  let requestUnits = 0;
  let latest = session;
  let failed = false;
  for (const item of items) {
    if (failed) {
      outcomes.push(refused(new PerigeeError('FAILED_DEPENDENCY', 'Not tried: an earlier operation failed.')));
      continue;
    }
    const result = await runAll(container, [item], session);
    requestUnits += result.requestUnits;
    latest = result.session ?? latest;
    failed = result.outcomes[0]?.ok !== true;
    outcomes.push(...result.outcomes);
  }
  return { outcomes, requestUnits, session: latest };
}

/** `POST .../docs` with a bulk request: operations on any partition keys of one range, each on its own. */
export async function executeBulk(context: RequestContext): Promise<Reply> {
  return context.withContainer(async (container) => {
    refuseTriggers(context.headers);
    const rangeId = header(context.headers, 'x-ms-documentdb-partitionkeyrangeid');
    if (rangeId !== undefined) {
      rangeById(container.layout, rangeId, context.server.runtime.nowMs());
    }
    const given = operationList(context.json());
    if (given.length > STORE_LIMITS.batchOperations) {
      throw new PerigeeError('BAD_REQUEST', `A bulk request has 1 to ${STORE_LIMITS.batchOperations} operations.`);
    }
    const items = given.map((one) => bulkItem(container, one));
    const goesOn = header(context.headers, 'x-ms-cosmos-batch-continue-on-error')?.toLowerCase() !== 'false';
    const result = await (goesOn ? runAll : runUntilFailure)(container, items, sessionOf(context, container));
    const minimal = header(context.headers, 'prefer')?.toLowerCase() === 'return=minimal';
    const outcomes = result.outcomes.map((outcome, index) => {
      const item = items[index] as BulkItem;
      return wireOutcome('error' in item ? 'read' : item.type, outcome, minimal);
    });
    return {
      status: result.outcomes.every(({ ok }) => ok) ? 200 : 207,
      headers: [...documentHeaders(context, container, result), 'x-ms-item-count', String(outcomes.length)],
      body: JSON.stringify(outcomes),
    };
  });
}
