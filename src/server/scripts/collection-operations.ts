import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { pointReadUnits, writeUnits } from '../../query/cost/request-units.ts';
import type { StoredDocument } from '../../store/document.ts';
import type { StoreTransaction } from '../../store/document-store.ts';
import type { ResultInfo } from '../../store/operations.ts';
import type { QueryPage } from '../../store/queries.ts';
import type { UserDefinedFunctions } from '../../store/user-functions.ts';
import { readQuery } from '../query-body.ts';
import { patchOf } from '../batch-json.ts';
import { parseJson } from '../parse-json.ts';
import { readDocumentLink, type ContainerLinks } from './resource-links.ts';
import type { OperationResult, ScriptOperation } from './script-protocol.ts';

/** Items of a page at most. */
const MAX_PAGE_ITEMS = 1000;
/** Names of documents seen that are remembered, so that their `_self` need not be looked for. */
const MAX_KNOWN = 10_000;

/** Runs `work` with the functions that a query text calls; an empty set of them for most. */
export type WithFunctions = <R>(text: string, work: (functions: UserDefinedFunctions | undefined) => Promise<R>) => Promise<R>;

/** What the calls of a script run on. */
export interface OperationContext {
  readonly links: ContainerLinks;
  /** Comma-separated figures of the container's size, and of what it may have: callbacks see them. */
  readonly quota: { readonly current: string; readonly max: string };
  readonly withFunctions: WithFunctions;
}

/** A call that was run: its result, and what it cost. */
interface RunOperation {
  readonly result: OperationResult;
  readonly info: ResultInfo;
  readonly wrote: boolean;
}

/**
 * Runs the calls of scripts on one partition key, and counts what they cost.
 *
 * A refusal that a program can act on (404, 409, 412 and so on) goes to the script; anything else is thrown, and ends the request.
 */
export class CollectionOperations {
  readonly #context: OperationContext;
  readonly #known = new Map<string, string>();
  #requestUnits = 0;
  #session: string | undefined;
  #hasWritten = false;

  constructor(context: OperationContext) {
    this.#context = context;
  }

  /** Request units of all calls so far, refused ones included. */
  get requestUnits(): number {
    return this.#requestUnits;
  }

  /** Session after the last write, or after the last read where nothing was written. */
  get session(): string | undefined {
    return this.#session;
  }

  /** Counts a write that was made beside the calls. */
  count(info: ResultInfo, wrote: boolean): void {
    this.#requestUnits += info.requestUnits;
    if (wrote || !this.#hasWritten) {
      this.#session = info.session ?? this.#session;
    }
    this.#hasWritten ||= wrote;
  }

  /** Runs one call; gives its result as JSON. @throws what is not the script's to know */
  async run(transaction: StoreTransaction, operation: ScriptOperation): Promise<string> {
    try {
      const { result, info, wrote } = await this.#execute(transaction, operation);
      this.count(info, wrote);
      return JSON.stringify(result);
    } catch (error) {
      if (!isPerigeeError(error) || !isForScript(error)) {
        throw error;
      }
      this.#requestUnits += operation.type === 'read' || operation.type === 'query' ? pointReadUnits(0) : writeUnits(0, 0);
      return JSON.stringify({ error: { number: error.status, message: messageOf(error) } } satisfies OperationResult);
    }
  }

  async #execute(transaction: StoreTransaction, operation: ScriptOperation): Promise<RunOperation> {
    switch (operation.type) {
      case 'read':
        return this.#read(transaction, operation.link, operation.ifNoneMatch);
      case 'feed':
        return this.#page(await transaction.queryPage<JsonValue>('SELECT * FROM c', pageOptions(operation)));
      case 'query':
        return this.#query(transaction, operation);
      case 'create':
        return this.#written(201, await transaction.create(documentOf(operation.documentJson)));
      case 'upsert': {
        const result = await transaction.upsert(documentOf(operation.documentJson), { ifMatch: operation.etag });
        return this.#written(result.created ? 201 : 200, result);
      }
      case 'replace':
        return this.#replace(transaction, operation);
      case 'patch': {
        const { operations, condition } = patchOf(parse(operation.patchJson));
        const id = await this.#idOf(transaction, operation.link);
        return this.#written(200, await transaction.patch(id, operations, { ifMatch: operation.etag, condition }));
      }
      case 'delete': {
        const info = await transaction.delete(await this.#idOf(transaction, operation.link), { ifMatch: operation.etag });
        return { result: { options: this.#options(204) }, info, wrote: true };
      }
      default:
        throw new PerigeeError('BAD_REQUEST', `There is no call of the type ${JSON.stringify((operation as { type?: unknown }).type)}.`);
    }
  }

  async #read(transaction: StoreTransaction, link: string, ifNoneMatch: string | undefined): Promise<RunOperation> {
    const found = await transaction.read(await this.#idOf(transaction, link));
    if (found === undefined) {
      throw missing();
    }
    if (ifNoneMatch !== undefined && (ifNoneMatch === found.etag || ifNoneMatch === '*')) {
      return { result: { options: { ...this.#options(304), notModified: true } }, info: found, wrote: false };
    }
    return { result: { body: this.#seen(found.document), options: this.#options(200) }, info: found, wrote: false };
  }

  #query(transaction: StoreTransaction, operation: Extract<ScriptOperation, { type: 'query' }>): Promise<RunOperation> {
    const given = parse(operation.queryJson);
    const query = readQuery(typeof given === 'string' ? { query: given } : isJsonObject(given as JsonValue) ? (given as JsonObject) : {});
    return this.#context.withFunctions(query.query, async (userDefinedFunctions) =>
      this.#page(await transaction.queryPage<JsonValue>(query, { ...pageOptions(operation), userDefinedFunctions })),
    );
  }

  async #replace(transaction: StoreTransaction, operation: Extract<ScriptOperation, { type: 'replace' }>): Promise<RunOperation> {
    const id = await this.#idOf(transaction, operation.link);
    const document = documentOf(operation.documentJson);
    if (document.id !== id) {
      throw new PerigeeError('BAD_REQUEST', 'The document has another id than the link that it is to replace. An id cannot change.');
    }
    return this.#written(200, await transaction.replace(document, { ifMatch: operation.etag }));
  }

  #page({ items, continuation, ...info }: QueryPage<JsonValue>): RunOperation {
    for (const item of items) {
      this.#seen(item);
    }
    return { result: { body: items, options: { ...this.#options(200), continuation } }, info, wrote: false };
  }

  #written(statusCode: number, result: ResultInfo & { readonly document: StoredDocument }): RunOperation {
    return { result: { body: this.#seen(result.document), options: this.#options(statusCode) }, info: result, wrote: true };
  }

  #options(statusCode: number): Readonly<Record<string, unknown>> {
    const { current, max } = this.#context.quota;
    return { statusCode, currentCollectionSizeInMB: current, maxCollectionSizeInMB: max };
  }

  #seen<T extends JsonValue | StoredDocument>(document: T): T {
    const { _rid: rid, id } = isJsonObject(document) ? document : ({} as JsonObject);
    if (typeof rid === 'string' && typeof id === 'string' && this.#known.size < MAX_KNOWN) {
      this.#known.set(rid, id);
    }
    return document;
  }

  /** The id that a link stands for. @throws BAD_REQUEST, NOT_FOUND */
  async #idOf(transaction: StoreTransaction, link: string): Promise<string> {
    const named = readDocumentLink(String(link), this.#context.links);
    if (named === undefined) {
      throw new PerigeeError('BAD_REQUEST', 'The link is none of a document in the container that the script runs in.');
    }
    if ('id' in named) {
      return named.id;
    }
    const id = this.#known.get(named.rid) ?? (await this.#find(transaction, named.rid));
    if (id === undefined) {
      throw missing();
    }
    return id;
  }

  /** Looks for a document by its resource id among all of the partition key. */
  async #find(transaction: StoreTransaction, rid: string): Promise<string | undefined> {
    const query = { query: 'SELECT VALUE c.id FROM c WHERE c._rid = @rid', parameters: [{ name: '@rid', value: rid }] };
    let continuation: string | undefined;
    do {
      const page = await transaction.queryPage<string>(query, { continuation });
      this.count(page, false);
      if (page.items.length > 0) {
        return page.items[0];
      }
      continuation = page.continuation;
    } while (continuation !== undefined);
    return undefined;
  }
}

/** Whether a refusal is one that the service tells a script of. */
function isForScript({ category, status }: PerigeeError): boolean {
  return category === 'data' && status >= 400 && status < 500 && status !== 401 && status !== 403;
}

function messageOf(error: PerigeeError): string {
  return error.code === 'PARTITION_KEY_MISMATCH'
    ? 'Requests originating from scripts cannot reference partition keys other than the one for which client request was submitted.'
    : error.message;
}

function missing(): PerigeeError {
  return new PerigeeError('NOT_FOUND', 'Resource Not Found: the partition key has no such document.');
}

function parse(json: string): unknown {
  return parseJson(String(json), 'What the script gave');
}

function documentOf(json: string): JsonObject & { readonly id: string } {
  const document = parse(json) as JsonValue;
  if (!isJsonObject(document)) {
    throw new PerigeeError('INVALID_DOCUMENT', 'The document that the script gave is not a JSON object.');
  }
  return document as JsonObject & { readonly id: string };
}

function pageOptions({ pageSize, continuation }: { readonly pageSize: number; readonly continuation?: string | undefined }): {
  readonly maxItemCount: number;
  readonly continuation: string | undefined;
} {
  const wanted = Math.trunc(pageSize);
  return { maxItemCount: wanted >= 1 ? Math.min(wanted, MAX_PAGE_ITEMS) : MAX_PAGE_ITEMS, continuation };
}
