import type { ItemDefinition, ItemResponse, PatchRequestBody, RequestOptions } from '@azure/cosmos';
import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { WriteOutcome } from '../../store/hooked-transaction.ts';
import type { CallOptions, ReadOptions, ReadResult } from '../../store/operations.ts';
import { keyOf, type PreparedKey, type StoreOperation, type WriteOperation } from '../../store/write-rules.ts';
import { describeOperation, patchBody, runBatch } from './batch-requests.ts';
import type { CallScope } from './call-scope.ts';
import { conditionOf, sdkPartitionKey, sessionOption, type ContainerLink } from './container-link.ts';
import { isResource } from './container-resource.ts';
import { badResponse, refusedBy } from './cosmos-errors.ts';

/** An id that a URL cannot carry through every client and proxy, or that the SDK refuses: such documents are addressed within a body. */
function needsBody(id: string): boolean {
  return id === '.' || id === '..' || /^\s*$/u.test(id);
}

/** Whether an answer says that the document is missing, and not its container or the session. */
export function isMissingDocument(error: unknown): boolean {
  return isPerigeeError(error, 'NOT_FOUND') && error.subStatus === 0;
}

/** The document of an answer. @throws BAD_RESPONSE */
function checkDocument<T extends object>(
  scope: CallScope,
  response: ItemResponse<ItemDefinition>,
  id: string,
  statuses: readonly number[],
): StoredDocument<T> {
  const resource: unknown = response.resource;
  const status = response.statusCode;
  if (!statuses.includes(status) || !isResource(resource) || resource.id !== id) {
    throw badResponse(scope, `status ${status} without the document`, status);
  }
  return resource as JsonObject as StoredDocument<T>;
}

/** Reads one document. @throws NOT_MODIFIED */
export async function readDocument<T extends object>(
  link: ContainerLink,
  key: PreparedKey,
  options: ReadOptions,
): Promise<ReadResult<T> | undefined> {
  try {
    return needsBody(key.id) ? await readInBatch(link, key, options) : await readByUrl(link, key, options);
  } catch (error) {
    if (isMissingDocument(error)) {
      return undefined;
    }
    throw error;
  }
}

function readByUrl<T extends object>(link: ContainerLink, key: PreparedKey, options: ReadOptions): Promise<ReadResult<T>> {
  const what = `read the document ${JSON.stringify(key.id)}`;
  const scope = link.scope({ kind: 'read', what, partitionKey: key.partitionKey, mode: 'read', options });
  const { ifNoneMatch } = options;
  const requestOptions: RequestOptions = {
    ...sessionOption(options),
    ...(ifNoneMatch === undefined ? {} : { accessCondition: { type: 'IfNoneMatch', condition: ifNoneMatch } }),
  };
  return scope.run(async () => {
    const response = await link.container.item(key.id, sdkPartitionKey(key.partitionKey)).read<ItemDefinition>(requestOptions);
    if (response.statusCode === 304) {
      throw refusedBy(scope, { status: 304, subStatus: 0 });
    }
    const document = checkDocument<T>(scope, response, key.id, [200]);
    return { document, etag: document._etag, ts: document._ts, requestUnits: scope.requestUnits, session: scope.session };
  });
}

async function readInBatch<T extends object>(link: ContainerLink, key: PreparedKey, options: ReadOptions): Promise<ReadResult<T>> {
  const outcome = await runAlone<T>(link, { type: 'read', key, ifNoneMatch: options.ifNoneMatch }, options);
  const document = outcome.document as StoredDocument<T>;
  return { document, etag: document._etag, ts: document._ts, requestUnits: outcome.requestUnits, session: outcome.session };
}

/** Runs one operation as a batch of one. */
async function runAlone<T extends object>(link: ContainerLink, operation: StoreOperation, options: CallOptions): Promise<WriteOutcome<T>> {
  const { outcomes, session, requestUnits } = await runBatch<T>(link, keyOf(operation), [operation], options, describeOperation(operation));
  const outcome = outcomes[0] as (typeof outcomes)[number];
  if (!outcome.ok) {
    throw outcome.error;
  }
  return { ...outcome, requestUnits, session };
}

/** Carries out one write. @throws the error of its status */
export function writeDocument<T extends object>(
  link: ContainerLink,
  operation: WriteOperation,
  options: CallOptions,
): Promise<WriteOutcome<T>> {
  const { id, partitionKey } = keyOf(operation);
  if (needsBody(id) && operation.type !== 'create' && operation.type !== 'upsert') {
    return runAlone(link, operation, options);
  }
  const kind = operation.type === 'patch' ? 'patch' : 'write';
  const scope = link.scope({ kind, what: describeOperation(operation), partitionKey, mode: 'all', options });
  const ifMatch = operation.type === 'create' ? undefined : operation.ifMatch;
  const requestOptions: RequestOptions = {
    ...sessionOption(options),
    ...conditionOf(ifMatch),
  };
  return scope.run(async () => outcomeOf(scope, operation, id, await send(link, operation, requestOptions)));
}

function send(link: ContainerLink, operation: WriteOperation, options: RequestOptions): Promise<ItemResponse<ItemDefinition>> {
  const { id, partitionKey } = keyOf(operation);
  const { items } = link.container;
  const item = (): ReturnType<typeof link.container.item> => link.container.item(id, sdkPartitionKey(partitionKey));
  switch (operation.type) {
    case 'create':
      return items.create<ItemDefinition>(operation.document.value as ItemDefinition, options);
    case 'upsert':
      return items.upsert<ItemDefinition>(operation.document.value, options);
    case 'replace':
      return item().replace<ItemDefinition>(operation.document.value as ItemDefinition, options);
    case 'delete':
      return item().delete<ItemDefinition>(options);
    case 'patch':
      return item().patch<ItemDefinition>(patchBody(operation) as PatchRequestBody, options);
    default:
      return operation satisfies never;
  }
}

const SUCCESS: Readonly<Record<WriteOperation['type'], readonly number[]>> = {
  create: [201],
  upsert: [200, 201],
  replace: [200],
  patch: [200],
  delete: [204],
};

function positionOf(scope: CallScope): number | undefined {
  const position = Number(scope.answer?.headers['x-ms-item-lsn'] ?? Number.NaN);
  return Number.isSafeInteger(position) ? position : undefined;
}

function outcomeOf<T extends object>(
  scope: CallScope,
  operation: WriteOperation,
  id: string,
  response: ItemResponse<ItemDefinition>,
): WriteOutcome<T> {
  const statuses = SUCCESS[operation.type];
  const base = { ok: true as const, position: positionOf(scope), requestUnits: scope.requestUnits, session: scope.session };
  if (operation.type === 'delete') {
    // A 204 has no body to tell the service by, but the service's own headers.
    const headers = scope.answer?.headers ?? {};
    if (!statuses.includes(response.statusCode) || !('x-ms-activity-id' in headers || 'x-ms-request-charge' in headers)) {
      throw badResponse(scope, `status ${response.statusCode} without the service's headers`, response.statusCode);
    }
    return { ...base, document: undefined, etag: undefined, created: false };
  }
  const document = checkDocument<T>(scope, response, id, statuses);
  return { ...base, document, etag: document._etag, created: response.statusCode === 201 };
}
