import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { partitionKeyOf, type PartitionKey } from '../store/partition-key.ts';
import type { OpenContainer } from './container-registry.ts';
import { namesDocumentByRid } from './resource-link.ts';
import type { Reply } from './reply.ts';
import type { RequestContext } from './server-context.ts';
import { header } from './wire-headers.ts';

/** A partition key as the store takes it: containers that were made without one have the empty key on the wire. */
export function storeKey(container: OpenContainer, key: PartitionKey): PartitionKey {
  return key.length === 0 && container.hasSystemKey ? [undefined] : key;
}

/** The partition key that a request names, `undefined` for none. @throws BAD_REQUEST */
export function optionalKey(context: RequestContext, container: OpenContainer): PartitionKey | undefined {
  const text = header(context.headers, 'x-ms-documentdb-partitionkey');
  return text === undefined ? undefined : storeKey(container, context.server.keys.parse(text));
}

/** The partition key that a request on a document must name. @throws BAD_REQUEST */
export function requiredKey(context: RequestContext, container: OpenContainer): PartitionKey {
  const key = optionalKey(context, container);
  if (key === undefined) {
    throw new PerigeeError(
      'BAD_REQUEST',
      'PartitionKey value must be supplied for this operation: send the header x-ms-documentdb-partitionkey.',
    );
  }
  return key;
}

/**
 * Runs `work` on the container and the document of the path. A path by resource ids names the document by its own; what is not found, or not within the
 * key that the request names, keeps its name and is missed by whoever looks for it.
 */
export function withDocument(context: RequestContext, work: (container: OpenContainer, id: string) => Promise<Reply>): Promise<Reply> {
  return context.withContainer((container) =>
    namesDocumentByRid(context.link, container.info.rid)
      ? idByRid(context, container).then((id) => work(container, id))
      : work(container, context.id),
  );
}

async function idByRid(context: RequestContext, container: OpenContainer): Promise<string> {
  const { id } = context;
  const query = { query: 'SELECT VALUE c.id FROM c WHERE c._rid = @rid', parameters: [{ name: '@rid', value: id }] };
  const [found] = await container.store.query<string>(query, { partitionKey: requiredKey(context, container) }).toArray();
  return found ?? id;
}

/** Raises PARTITION_KEY_MISMATCH unless a document has the partition key that the request names. */
export function checkDocumentKey(container: OpenContainer, key: PartitionKey, document: JsonObject): void {
  const found = partitionKeyOf(document, container.partitionKeyPaths);
  if (found.length !== key.length || found.some((component, index) => component !== key[index])) {
    throw new PerigeeError(
      'PARTITION_KEY_MISMATCH',
      'PartitionKey extracted from document does not match the one specified in the header.',
    );
  }
}

/** The document in the body of a request, checked against the partition key in its headers. @throws BAD_REQUEST, PARTITION_KEY_MISMATCH */
export function documentOfBody(context: RequestContext, container: OpenContainer): JsonObject & { readonly id: string } {
  const document = context.json();
  if (!isJsonObject(document)) {
    throw new PerigeeError('INVALID_DOCUMENT', 'The body of the request is not a JSON object.');
  }
  checkDocumentKey(container, requiredKey(context, container), document);
  return document as JsonObject & { readonly id: string };
}
