import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { STORE_LIMITS, utf8Length } from '../../store/limits.ts';
import type { BatchOperation, PatchOperation } from '../../store/operations.ts';
import { parsePatchPath } from '../../store/patch.ts';
import type { DocumentForm } from '../form/document-form.ts';
import { RESERVED_PROPERTY } from '../remote/wire-stamp.ts';

/** Operations of one document in a batch; with more, the whole document is sent. */
const MAX_OPERATIONS = 30;
/** Names of properties that a path means the same by everywhere: no index, nothing to escape. */
const PLAIN_NAME = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/**
 * The paths at which a local patch may have changed a document, `undefined` where the whole document has to be sent.
 *
 * A path ends at the first value that is no object, so that its parent is an object in the version that the patch follows: at the remote nothing can be
 * set below what is missing, and nothing is sent within an array. Properties that hold local fields go along with every patch and are not named.
 *
 * @param previous the document before the patch, as others see it; asked for only where a path goes deeper than a property
 */
export function touchedBy(
  operations: readonly PatchOperation[],
  previous: () => JsonObject,
  form: DocumentForm,
): readonly string[] | undefined {
  const local = form.localProperties;
  const paths: string[] = [];
  for (const operation of operations) {
    for (const pointer of operation.op === 'move' ? [operation.from, operation.path] : [operation.path]) {
      const names = parsePatchPath(pointer);
      if (local.includes(names[0] as string)) {
        continue;
      }
      if (!PLAIN_NAME.test(names[0] as string)) {
        return undefined;
      }
      paths.push(pointerOf(names.slice(0, safeLength(names, previous))));
    }
  }
  return paths;
}

/** All of some paths, without those that lie within others; `undefined` for too many. */
export function joinPaths(...lists: readonly (readonly string[])[]): readonly string[] | undefined {
  const all = Array.from(new Set(lists.flat()));
  const joined = all.filter((path) => !all.some((other) => path.startsWith(`${other}/`)));
  return joined.length < MAX_OPERATIONS ? joined : undefined;
}

/** A partial update of a document at the remote. */
export interface PartialUpdate {
  readonly operations: readonly BatchOperation<JsonObject>[];
  /** UTF-8 bytes of their JSON. */
  readonly bytes: number;
}

/**
 * What makes the version with `etag` the given document, where they differ at the touched paths alone; `undefined` where the whole document is no longer than
 * that. It sets what the document has now, whatever the calls were that led to it.
 */
export function partialUpdate(
  document: JsonObject & { readonly id: string },
  documentBytes: number,
  touched: readonly string[],
  etag: string,
  form: DocumentForm,
): PartialUpdate | undefined {
  const local = form.localProperties;
  const paths = joinPaths(
    touched,
    local.map((name) => pointerOf([name])),
  );
  if (form.schema !== undefined || paths === undefined || !local.every((name) => PLAIN_NAME.test(name))) {
    return undefined;
  }
  const operations = [...paths.flatMap((path) => operationsAt(document, path)), ...operationsAt(document, pointerOf([RESERVED_PROPERTY]))];
  const bytes = utf8Length(JSON.stringify(operations));
  if (operations.length > MAX_OPERATIONS || bytes >= documentBytes) {
    return undefined;
  }
  const { id } = document;
  const patches: BatchOperation<JsonObject>[] = [];
  for (let at = 0; at < operations.length; at += STORE_LIMITS.patchOperations) {
    const some = operations.slice(at, at + STORE_LIMITS.patchOperations);
    patches.push({ type: 'patch', id, operations: some, ...(at === 0 ? { ifMatch: etag } : {}) });
  }
  return { operations: patches, bytes };
}

/** Sets a path to what the document has there. What is gone is set first, since it may be gone from the remote's version too, which then refuses to remove it. */
function operationsAt(document: JsonObject, path: string): readonly PatchOperation[] {
  let value: JsonValue | undefined = document;
  for (const name of parsePatchPath(path)) {
    value = isJsonObject(value) ? getOwn(value, name) : undefined;
  }
  return value === undefined
    ? [
        { op: 'set', path, value: null },
        { op: 'remove', path },
      ]
    : [{ op: 'set', path, value }];
}

function safeLength(names: readonly string[], previous: () => JsonObject): number {
  let value: JsonValue | undefined = names.length > 1 ? previous() : undefined;
  let length = 1;
  for (; length < names.length && PLAIN_NAME.test(names[length] as string); length += 1) {
    value = isJsonObject(value) ? getOwn(value, names[length - 1] as string) : undefined;
    if (!isJsonObject(value)) {
      break;
    }
  }
  return length;
}

function pointerOf(names: readonly string[]): string {
  return `/${names.join('/')}`;
}
