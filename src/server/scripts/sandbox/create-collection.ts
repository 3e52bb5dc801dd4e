import type { SandboxSettings } from '../script-protocol.ts';
import type { NumberedError, OperationDone, OperationQueue, SandboxKit, ScriptCallback } from './sandbox-types.ts';

/** The container as scripts see it, without the functions that chain: links, documents, queries. */
export type ScriptCollection = Record<string, (...values: unknown[]) => unknown>;

/** Options and callback of a call, either of which may be left out. */
export type ReadCallOptions = (
  options: unknown,
  callback: unknown,
) => {
  readonly options: Readonly<Record<string, unknown>>;
  readonly callback: ScriptCallback | undefined;
};

/** What {@link createCollection} makes. */
export interface CreatedCollection {
  readonly collection: ScriptCollection;
  readonly readCallOptions: ReadCallOptions;
}

/**
 * Makes the object that `getContext().getCollection()` gives. Each call on documents is queued and answers whether it was taken; its callback
 * comes when the server has run it, and without a callback an error ends the script.
 */
export function createCollection(kit: SandboxKit, queue: OperationQueue, { selfLink, altLink }: SandboxSettings): CreatedCollection {
  const { parse, stringify, refuse } = kit;
  const bareSelf = selfLink.slice(0, -1);

  const method =
    (name: string, least: number, call: (...values: unknown[]) => unknown) =>
    (...values: unknown[]): unknown => {
      if (values.length < least) {
        throw refuse(400, `The function "${name}" needs ${least} argument(s) and was called with ${values.length}.`);
      }
      return call(...values);
    };
  const checkContainer = (link: unknown): void => {
    if (link !== selfLink && link !== bareSelf && link !== altLink && link !== `${altLink}/`) {
      throw refuse(400, `"${String(link)}" is no link of the container that the script runs in. Use getSelfLink() or getAltLink().`);
    }
  };
  const checkDocument = (link: unknown): string => {
    if (typeof link === 'string') {
      for (const start of [`${selfLink}docs/`, `${altLink}/docs/`]) {
        const id = link.startsWith(start) ? link.slice(start.length) : '';
        const end = id.indexOf('/');
        if (id !== '' && end !== 0 && (end === -1 || end === id.length - 1)) {
          return link;
        }
      }
    }
    throw refuse(400, `"${String(link)}" is no link of a document in the container that the script runs in.`);
  };
  const readCallOptions: ReadCallOptions = (given, callback) => {
    const isLast = callback === undefined && typeof given === 'function';
    if (!isLast && given !== undefined && typeof given !== 'object') {
      throw refuse(400, `The parameter "options" has to be an object and is a ${typeof given}.`);
    }
    if (callback !== undefined && typeof callback !== 'function') {
      throw refuse(400, `The parameter "callback" has to be a function and is a ${typeof callback}.`);
    }
    return {
      options: isLast ? {} : ((given ?? {}) as Record<string, unknown>),
      callback: (isLast ? given : callback) as ScriptCallback | undefined,
    };
  };
  const orThrow = (error: NumberedError | undefined): void => {
    if (error !== undefined) {
      throw error;
    }
  };
  const done =
    (callback: ScriptCallback | undefined, then: (body: unknown, options: Readonly<Record<string, unknown>>) => void): OperationDone =>
    (error, result) => {
      if (callback === undefined) {
        orThrow(error);
      } else if (error !== undefined || result === undefined) {
        callback(error);
      } else {
        then(result.body, result.options);
      }
    };
  const withBody = (callback: ScriptCallback | undefined): OperationDone =>
    done(callback, (body, options) => callback?.(undefined, body, options));
  const text = (value: unknown): string | undefined => (value === undefined || value === null || value === '' ? undefined : String(value));
  const page = ({ pageSize, continuation }: Readonly<Record<string, unknown>>): { pageSize: number; continuation: string | undefined } => ({
    pageSize: Number(pageSize) || 100,
    continuation: text(continuation),
  });
  const toJson = (document: unknown): string => {
    const json = typeof document === 'string' ? document : stringify(document);
    if (json === undefined) {
      throw refuse(400, 'The document has to be an object, or a text that holds one as JSON.');
    }
    return json;
  };
  const guid = (): string => 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'.replace(/x/gu, () => Math.floor(Math.random() * 16).toString(16));
  /** JSON of a document to write, with an id of its own where it has none and may have one. */
  const newDocument = (document: unknown, options: Readonly<Record<string, unknown>>): string => {
    if (document === null || (typeof document !== 'object' && typeof document !== 'string')) {
      throw refuse(400, 'The document has to be an object, or a text that holds one as JSON.');
    }
    if (options['disableAutomaticIdGeneration'] === true) {
      return toJson(document);
    }
    const value = (typeof document === 'string' ? parse(document) : document) as Record<string, unknown> | null;
    if (value === null || typeof value !== 'object' || value['id']) {
      return toJson(document);
    }
    return toJson({ ...value, id: guid() });
  };

  const noAttachments = (): never => {
    throw refuse(400, 'There are no attachments here: this server does not store any. Keep what belongs to a document in a document.');
  };

  const collection: ScriptCollection = {
    getSelfLink: () => selfLink,
    getAltLink: () => altLink,

    readDocument: method('readDocument', 1, (link, given, callback) => {
      const { options, callback: call } = readCallOptions(given, callback);
      return queue.add({ type: 'read', link: checkDocument(link), ifNoneMatch: text(options['ifNoneMatch']) }, withBody(call));
    }),
    readDocuments: method('readDocuments', 1, (link, given, callback) => {
      checkContainer(link);
      const { options, callback: call } = readCallOptions(given, callback);
      return queue.add({ type: 'feed', ...page(options) }, withBody(call));
    }),
    queryDocuments: method('queryDocuments', 2, (link, query, given, callback) => {
      checkContainer(link);
      if (query === null || (typeof query !== 'string' && typeof query !== 'object')) {
        throw refuse(400, 'A query is a text, or an object with the members "query" and "parameters".');
      }
      const { options, callback: call } = readCallOptions(given, callback);
      return queue.add({ type: 'query', queryJson: stringify(query) ?? '', ...page(options) }, withBody(call));
    }),
    createDocument: method('createDocument', 2, (link, document, given, callback) => {
      checkContainer(link);
      const { options, callback: call } = readCallOptions(given, callback);
      return queue.add({ type: 'create', documentJson: newDocument(document, options) }, withBody(call));
    }),
    upsertDocument: method('upsertDocument', 2, (link, document, given, callback) => {
      checkContainer(link);
      const { options, callback: call } = readCallOptions(given, callback);
      const documentJson = newDocument(document, options);
      return queue.add({ type: 'upsert', documentJson, etag: text(options['etag']) }, withBody(call));
    }),
    replaceDocument: method('replaceDocument', 2, (link, document, given, callback) => {
      const { options, callback: call } = readCallOptions(given, callback);
      const operation = {
        type: 'replace',
        link: checkDocument(link),
        documentJson: toJson(document),
        etag: text(options['etag']),
      } as const;
      return queue.add(operation, withBody(call));
    }),
    patchDocument: method('patchDocument', 2, (link, patch, given, callback) => {
      if (patch === null || typeof patch !== 'object') {
        throw refuse(400, 'A patch is an array of operations, or an object with the member "operations".');
      }
      const { options, callback: call } = readCallOptions(given, callback);
      const operation = { type: 'patch', link: checkDocument(link), patchJson: toJson(patch), etag: text(options['etag']) } as const;
      return queue.add(operation, withBody(call));
    }),
    deleteDocument: method('deleteDocument', 1, (link, given, callback) => {
      const { options, callback: call } = readCallOptions(given, callback);
      return queue.add(
        { type: 'delete', link: checkDocument(link), etag: text(options['etag']) },
        done(call, (_body, response) => call?.(undefined, response)),
      );
    }),

    readAttachment: noAttachments,
    readAttachments: noAttachments,
    queryAttachments: noAttachments,
    createAttachment: noAttachments,
    upsertAttachment: noAttachments,
    replaceAttachment: noAttachments,
    deleteAttachment: noAttachments,
  };
  return { collection, readCallOptions };
}
