import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import type { JsonObject } from '../core/json.ts';
import type { DocumentStore } from '../store/document-store.ts';
import type { BulkOperation } from '../store/operations.ts';
import { partitionKeyOf, type PartitionKey } from '../store/partition-key.ts';
import { contentText, documentKey, type DocumentReader } from './document-digest.ts';
import type { CopyFailure } from './copy-report.ts';

/** Refusals that are about the document, so that the others go on. Everything else ends the copy, which can be resumed. */
const DOCUMENT_CODES: readonly ErrorCode[] = [
  'CONFLICT',
  'TOO_LARGE',
  'INVALID_DOCUMENT',
  'INVALID_ID',
  'BAD_REQUEST',
  'VALIDATION_FAILED',
];

/** How often a document is looked at again that others write to at the same time. */
const MAX_ATTEMPTS = 5;
/** Versions that this run wrote and remembers, so that it may write over them. */
const MAX_REMEMBERED = 100_000;

/** What became of a document. */
type Outcome = 'created' | 'replaced' | 'unchanged' | 'keptNewer' | CopyFailure;

type Source = JsonObject & { readonly id: string };

/** Counts of what became of documents. */
export interface WriteCounts {
  readonly created: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly keptNewer: number;
  readonly failures: readonly CopyFailure[];
}

/** Settings of {@link DocumentWriter}. */
export interface WriterSettings {
  readonly target: DocumentStore;
  readonly reader: DocumentReader;
  readonly overwrite: boolean;
  /** Documents expire, so one that was written again with the same content lives longer, and its copy must too. */
  readonly expires: boolean;
  readonly signal: AbortSignal | undefined;
}

function failureOf(document: Source, error: PerigeeError): CopyFailure {
  return { id: document.id, code: error.code, message: error.message };
}

/**
 * Writes documents of the source into the target. One that is not there is created; one that is equal is left; over another it writes only where the
 * target's version is not newer, or was written by this run, and only while it is still the version that was looked at.
 */
export class DocumentWriter {
  readonly #settings: WriterSettings;
  readonly #written = new Map<string, string>();

  constructor(settings: WriterSettings) {
    this.#settings = settings;
  }

  /** @throws what ends the copy: all but a refusal of single documents */
  async write(documents: readonly Source[]): Promise<WriteCounts> {
    const { target, signal } = this.#settings;
    const outcomes: Outcome[] = [];
    const operations = documents.map((document): BulkOperation => ({ type: 'create', document }));
    const result = await target.bulk(operations, { signal });
    for (const [index, document] of documents.entries()) {
      const outcome = result.outcomes[index];
      if (outcome === undefined) {
        throw new PerigeeError('INTERNAL', 'A bulk call gave fewer outcomes than it had operations.');
      }
      if (outcome.ok) {
        this.#remember(document, outcome.etag);
        outcomes.push('created');
      } else if (outcome.error.code === 'CONFLICT') {
        outcomes.push(await this.#resolve(document));
      } else {
        outcomes.push(documentFailure(document, outcome.error));
      }
    }
    const count = (kind: Outcome): number => outcomes.filter((one) => one === kind).length;
    return {
      created: count('created'),
      replaced: count('replaced'),
      unchanged: count('unchanged'),
      keptNewer: count('keptNewer'),
      failures: outcomes.filter((one): one is CopyFailure => typeof one === 'object'),
    };
  }

  /** Decides on a document that could not be created. */
  async #resolve(document: Source): Promise<Outcome> {
    const { target, reader, overwrite, expires, signal } = this.#settings;
    const partitionKey: PartitionKey = partitionKeyOf(document, reader.paths);
    for (let attempt = 1; ; attempt += 1) {
      const current = await target.read(document.id, partitionKey, { signal });
      const isRenewed = expires && current !== undefined && current.ts < Number(document['_ts']);
      if (current !== undefined && !isRenewed && contentText(current.document, reader) === contentText(document, reader)) {
        return 'unchanged';
      }
      const isOwn = current !== undefined && this.#written.get(documentKey(document, reader)) === current.etag;
      if (current !== undefined && !overwrite && !isOwn && current.ts > Number(document['_ts'])) {
        return 'keptNewer';
      }
      try {
        const written =
          current === undefined
            ? await target.create(document, { signal })
            : await target.replace(document, { ifMatch: current.etag, signal });
        this.#remember(document, written.etag);
        return written.created ? 'created' : 'replaced';
      } catch (error) {
        if (!isPerigeeError(error)) {
          throw error;
        }
        // Somebody else wrote between the look and the write; but a conflict without a document is one of a unique key.
        const isOvertaken = error.code === 'PRECONDITION_FAILED' || error.code === 'NOT_FOUND';
        if (!isOvertaken || attempt === MAX_ATTEMPTS) {
          return documentFailure(document, error);
        }
      }
    }
  }

  #remember(document: Source, etag: string | undefined): void {
    if (etag === undefined) {
      return;
    }
    if (this.#written.size >= MAX_REMEMBERED) {
      const [oldest] = this.#written.keys();
      this.#written.delete(oldest as string);
    }
    this.#written.set(documentKey(document, this.#settings.reader), etag);
  }
}

/** The failure of one document. @throws an error that is not about the document */
function documentFailure(document: Source, error: PerigeeError): CopyFailure {
  if (!DOCUMENT_CODES.includes(error.code) && error.code !== 'PRECONDITION_FAILED') {
    throw error;
  }
  return failureOf(document, error);
}
