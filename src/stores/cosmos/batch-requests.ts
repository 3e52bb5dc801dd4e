import type { OperationInput, OperationResponse } from '@azure/cosmos';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { BatchResult, CallOptions, OperationOutcome } from '../../store/operations.ts';
import { keyOf, type PreparedKey, type StoreOperation } from '../../store/write-rules.ts';
import type { CallScope } from './call-scope.ts';
import { badResponse, refusedBy } from './cosmos-errors.ts';
import { conditionText, sdkPartitionKey, sessionOption, type ContainerLink } from './container-link.ts';
import { isResource } from './container-resource.ts';

function ifMatchOption(ifMatch: string | undefined): { ifMatch?: string } {
  return ifMatch === undefined ? {} : { ifMatch: conditionText(ifMatch) };
}

/** An operation as the SDK takes it. Its types lack `ifMatch` for deletes and `ifNoneMatch` for reads; it passes both on. */
function sdkOperation(operation: StoreOperation): OperationInput {
  const { id } = keyOf(operation);
  const input = (): object => {
    switch (operation.type) {
      case 'create':
        return { operationType: 'Create', resourceBody: operation.document.value };
      case 'upsert':
        return { operationType: 'Upsert', resourceBody: operation.document.value, ...ifMatchOption(operation.ifMatch) };
      case 'replace':
        return { operationType: 'Replace', id, resourceBody: operation.document.value, ...ifMatchOption(operation.ifMatch) };
      case 'delete':
        return { operationType: 'Delete', id, ...ifMatchOption(operation.ifMatch) };
      case 'patch':
        return { operationType: 'Patch', id, resourceBody: patchBody(operation), ...ifMatchOption(operation.ifMatch) };
      case 'read':
        return { operationType: 'Read', id, ...(operation.ifNoneMatch === undefined ? {} : { ifNoneMatch: operation.ifNoneMatch }) };
      default:
        return operation satisfies never;
    }
  };
  return input() as OperationInput;
}

/** The body of a patch. */
export function patchBody(operation: Extract<StoreOperation, { type: 'patch' }>): { operations: unknown[]; condition?: string } {
  return { operations: [...operation.operations], ...(operation.condition === undefined ? {} : { condition: operation.condition }) };
}

/** What an operation does, for messages. */
export function describeOperation(operation: StoreOperation): string {
  return `${operation.type} the document ${JSON.stringify(keyOf(operation).id)}`;
}

function outcomeOf<T extends object>(
  scope: CallScope,
  operation: StoreOperation,
  answer: OperationResponse,
  container: string,
): OperationOutcome<T> {
  // The answer is the service's, whatever the types say.
  const { statusCode, subStatusCode, requestCharge, retryAfterMilliseconds, resourceBody, eTag } = answer as unknown as Record<
    string,
    unknown
  >;
  const requestUnits = typeof requestCharge === 'number' ? requestCharge : 0;
  const status = statusCode as number;
  if (status < 200 || status > 299) {
    const call = {
      kind: operation.type === 'patch' ? ('patch' as const) : ('write' as const),
      attempt: `${describeOperation(operation)} of the container ${JSON.stringify(container)}`,
      continued: false,
    };
    const error = refusedBy(call, {
      status,
      subStatus: typeof subStatusCode === 'number' ? subStatusCode : 0,
      retryAfterMs: typeof retryAfterMilliseconds === 'number' ? retryAfterMilliseconds : undefined,
    });
    return { ok: false, error, requestUnits };
  }
  if (operation.type === 'delete') {
    return { ok: true, document: undefined, etag: undefined, created: false, position: undefined, requestUnits };
  }
  if (!isResource(resourceBody)) {
    return { ok: false, error: badResponse(scope, `status ${status} of an operation without its document`, status), requestUnits };
  }
  return {
    ok: true,
    document: resourceBody as JsonObject as StoredDocument<T>,
    etag: typeof eTag === 'string' ? eTag : resourceBody._etag,
    created: operation.type === 'create' || (operation.type === 'upsert' && status === 201),
    position: undefined,
    requestUnits,
  };
}

function isAnswerList(value: unknown, count: number): value is OperationResponse[] {
  return Array.isArray(value) && value.length === count && value.every((one) => isJsonObject(one) && typeof one['statusCode'] === 'number');
}

/** Sends operations of one partition key as one atomic batch. @throws whatever refuses the request as a whole */
export async function runBatch<T extends object>(
  link: ContainerLink,
  key: Omit<PreparedKey, 'id'>,
  operations: readonly StoreOperation[],
  options: CallOptions,
  what = `run a batch of ${operations.length} operation(s)`,
): Promise<BatchResult<T>> {
  const mode = operations.every((operation) => operation.type === 'read') ? 'read' : 'all';
  const scope = link.scope({ kind: 'batch', what, partitionKey: key.partitionKey, mode, options });
  return scope.run(async () => {
    const response = await link.container.items.batch(
      operations.map(sdkOperation),
      sdkPartitionKey(key.partitionKey),
      sessionOption(options),
    );
    const answers: unknown = response.result;
    if ((response.code !== 200 && response.code !== 207) || !isAnswerList(answers, operations.length)) {
      throw badResponse(scope, `status ${response.code} without an outcome for each operation`, response.code);
    }
    const outcomes = operations.map((operation, index) =>
      outcomeOf<T>(scope, operation, answers[index] as OperationResponse, link.info.definition.id),
    );
    return {
      committed: outcomes.every((outcome) => outcome.ok),
      outcomes,
      requestUnits: scope.requestUnits,
      session: scope.session,
    };
  });
}
