import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { checkResourceName } from '../../store/ids.ts';
import type { ResourceKind } from './resource-kind.ts';

/** Bytes of a script; the service takes no larger request either. */
const MAX_SCRIPT_BYTES = 256 * 1024;
const MAX_KEY_BYTES = 64 * 1024;

function invalid(message: string): PerigeeError {
  return new PerigeeError('BAD_REQUEST', message);
}

/** One of several words, in whatever case; clients read it in the case that they sent. */
function oneOf(value: JsonValue | undefined, member: string, words: readonly string[]): string {
  if (typeof value !== 'string' || !words.some((word) => word.toLowerCase() === value.toLowerCase())) {
    throw invalid(`The member ${member} is one of ${words.join(', ')}.`);
  }
  return value;
}

function textOf(value: JsonValue | undefined, member: string, maxBytes: number): string {
  if (typeof value !== 'string' || value === '') {
    throw invalid(`The member ${member} is a text.`);
  }
  if (Buffer.byteLength(value) > maxBytes) {
    throw new PerigeeError('TOO_LARGE', `The member ${member} is larger than ${maxBytes} bytes.`);
  }
  return value;
}

function script(body: JsonObject): JsonObject {
  return { body: textOf(body['body'], 'body', MAX_SCRIPT_BYTES) };
}

const CHECKS: Readonly<Record<ResourceKind, (body: JsonObject) => JsonObject>> = {
  users: () => ({}),
  permissions: (body) => {
    const key = body['resourcePartitionKey'];
    if (key !== undefined && key !== null && typeof key !== 'string' && !Array.isArray(key)) {
      throw invalid(
        'The member resourcePartitionKey is a list with a value for each level of the partition key, or the text of a single one.',
      );
    }
    return {
      permissionMode: oneOf(body['permissionMode'], 'permissionMode', ['Read', 'All']),
      resource: textOf(body['resource'], 'resource', 4096),
      ...(key === undefined || key === null ? {} : { resourcePartitionKey: key }),
    };
  },
  clientencryptionkeys: (body) => {
    const metadata = body['keyWrapMetadata'];
    if (!isJsonObject(metadata)) {
      throw invalid('The member keyWrapMetadata is an object.');
    }
    return {
      encryptionAlgorithm: textOf(body['encryptionAlgorithm'], 'encryptionAlgorithm', 256),
      keyWrapMetadata: metadata,
      wrappedDataEncryptionKey: textOf(body['wrappedDataEncryptionKey'], 'wrappedDataEncryptionKey', MAX_KEY_BYTES),
    };
  },
  sprocs: script,
  udfs: script,
  triggers: (body) => ({
    ...script(body),
    triggerType: oneOf(body['triggerType'] ?? 'Pre', 'triggerType', ['Pre', 'Post']),
    triggerOperation: oneOf(body['triggerOperation'] ?? 'All', 'triggerOperation', [
      'All',
      'Create',
      'Update',
      'Delete',
      'Replace',
      'Upsert',
    ]),
  }),
};

/** What the catalog keeps of the body of a request: the members that the kind has, checked. @throws BAD_REQUEST, INVALID_ID, TOO_LARGE */
export function checkResource(kind: ResourceKind, body: JsonObject): { readonly id: string; readonly members: JsonObject } {
  return { id: checkResourceName(body['id']), members: CHECKS[kind](body) };
}
