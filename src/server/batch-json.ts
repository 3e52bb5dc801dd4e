import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { BatchOperation, OperationOutcome, PatchOperation } from '../store/operations.ts';

/** One operation in the body of a batch or a bulk request. */
export interface WireOperation {
  readonly operation: BatchOperation;
  /** Partition key of its own, as JSON text; in bulk requests. */
  readonly partitionKey: string | undefined;
}

function invalid(message: string): PerigeeError {
  return new PerigeeError('BAD_REQUEST', message);
}

function optionalText(operation: JsonObject, name: string): string | undefined {
  const value = operation[name];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string') {
    throw invalid(`The member ${name} of an operation is a string.`);
  }
  return value;
}

function documentOf(operation: JsonObject): JsonObject & { readonly id: string } {
  const body = operation['resourceBody'];
  if (!isJsonObject(body)) {
    throw invalid('An operation that writes a document has it in the member resourceBody.');
  }
  return body as JsonObject & { readonly id: string };
}

/** A patch as it comes in a request: a list of operations, or an object that has one and a condition. */
export function patchOf(body: unknown): { readonly operations: readonly PatchOperation[]; readonly condition: string | undefined } {
  const operations = isJsonObject(body) ? body['operations'] : body;
  const condition = isJsonObject(body) ? body['condition'] : undefined;
  if (!Array.isArray(operations) || (condition !== undefined && typeof condition !== 'string')) {
    throw invalid('A patch is a list of operations, or {"operations":[...],"condition":"from c where ..."}.');
  }
  return { operations: operations as unknown as readonly PatchOperation[], condition };
}

function operationOf(given: JsonObject): BatchOperation {
  const type = given['operationType'];
  const ifMatch = optionalText(given, 'ifMatch');
  const id = (): string => {
    const value = given['id'];
    if (typeof value !== 'string') {
      throw invalid('An operation on a document that exists has its id in the member id.');
    }
    return value;
  };
  switch (type) {
    case 'Create':
      return { type: 'create', document: documentOf(given) };
    case 'Upsert':
      return { type: 'upsert', document: documentOf(given), ifMatch };
    case 'Replace': {
      const document = documentOf(given);
      if (given['id'] !== undefined && given['id'] !== document.id) {
        throw invalid('The id of the operation and the id in its resourceBody differ.');
      }
      return { type: 'replace', document, ifMatch };
    }
    case 'Read':
      return { type: 'read', id: id(), ifNoneMatch: optionalText(given, 'ifNoneMatch') };
    case 'Delete':
      return { type: 'delete', id: id(), ifMatch };
    case 'Patch':
      return { type: 'patch', id: id(), ...patchOf(given['resourceBody']), ifMatch };
    default:
      throw invalid('The member operationType is Create, Upsert, Read, Replace, Delete or Patch.');
  }
}

/** Reads one operation. @throws BAD_REQUEST */
export function wireOperation(given: unknown): WireOperation {
  if (!isJsonObject(given)) {
    throw invalid('An operation is an object.');
  }
  return { operation: operationOf(given), partitionKey: optionalText(given, 'partitionKey') };
}

/** The operations in a body. @throws BAD_REQUEST */
export function operationList(body: unknown): readonly unknown[] {
  if (!Array.isArray(body) || body.length === 0) {
    throw invalid('The body is a list of one operation or more.');
  }
  return body;
}

function successStatus(type: BatchOperation['type'], created: boolean): number {
  return type === 'delete' ? 204 : created ? 201 : 200;
}

/** What became of an operation, as clients read it. */
export function wireOutcome(type: BatchOperation['type'], outcome: OperationOutcome, minimal: boolean): JsonObject {
  if (outcome.ok) {
    const hasBody = outcome.document !== undefined && (!minimal || type === 'read');
    return {
      statusCode: successStatus(type, outcome.created),
      requestCharge: outcome.requestUnits,
      ...(outcome.etag === undefined ? {} : { eTag: outcome.etag }),
      ...(hasBody ? { resourceBody: outcome.document as unknown as JsonObject } : {}),
    };
  }
  const { error } = outcome;
  return {
    statusCode: error.status,
    ...(error.subStatus === 0 ? {} : { subStatusCode: error.subStatus }),
    requestCharge: outcome.requestUnits,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMilliseconds: Math.ceil(error.retryAfterMs) }),
  };
}
