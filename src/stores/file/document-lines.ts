import { createHash } from 'node:crypto';
import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { checkDocumentId } from '../../store/ids.ts';
import { normalizePartitionKey, parsePartitionKeyText, partitionKeyText, type PartitionKeyText } from '../../store/partition-key.ts';
import { prepareDocument, type PreparedDocument } from '../../store/prepared-document.ts';
import type { VersionParts } from '../common/resident-container.ts';
import type { DraftChange } from '../common/resident-draft.ts';
import type { ResidentRow } from '../common/resident-container.ts';
import { bodyOf } from '../common/resident-writes.ts';

/*
 * A line of a container's file is a document with two members behind its own:
 *
 *   {"id":"17","customer":"ada","total":3,"_ts":1732147200,"_etag":"5.42.9c41d2ae07b3"}
 *
 * The etag is ordinal, position, and a digest over both, the time and the document, so a line that a person changed shows it. A line without them is
 * a document that a person wrote. While a container is open its changes are appended: a later line of the same document takes the place of the
 * earlier one, `{"_deleted":{"id":…,"partitionKey":[…]},"_etag":…}` deletes one, and a line that is a list holds what was committed as one. When
 * it is quiet, and when it closes, the file is folded to one line a document in the order of creation.
 */

/** What a line adds to its document, read from it and found right. */
export interface LineVersion {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly etag: string;
}

/** One document, or delete, of a line. */
export type LineEntry =
  | {
      readonly kind: 'document';
      readonly document: PreparedDocument;
      /** Absent where a person wrote or changed the line. */
      readonly version: LineVersion | undefined;
      /** Ordinal of a line that a person changed: it keeps its place. */
      readonly ordinal: number | undefined;
      /** Time of a line that a person wrote with one, such as a copy from elsewhere. */
      readonly ts: number | undefined;
    }
  | { readonly kind: 'delete'; readonly partitionKeyText: PartitionKeyText; readonly id: string; readonly position: number | undefined };

/** How lines of one container are read. */
export interface LineContext {
  readonly incarnation: string;
  /** Partition key paths, parsed. */
  readonly paths: readonly (readonly string[])[];
}

const ETAG = /^"?([1-9]\d{0,15})\.([1-9]\d{0,15})\.([0-9a-f]{12})"?$/u;

/** The etag of a version, with its quotes. */
export function lineEtag(incarnation: string, { ordinal, position, ts, body }: VersionParts): string {
  const digest = createHash('sha256').update(`${incarnation}.${ordinal}.${position}.${ts}.${body}`).digest('hex').slice(0, 12);
  return `"${ordinal}.${position}.${digest}"`;
}

function deletionEtag(incarnation: string, position: number, key: string): string {
  return lineEtag(incarnation, { ordinal: position, position, ts: 0, body: key });
}

/** The line of a row, without its end. */
export function documentLine(row: ResidentRow): string {
  return `${bodyOf(row).slice(0, -1)},"_ts":${row.ts},"_etag":${JSON.stringify(row.etag.slice(1, -1))}}`;
}

function changeText(change: DraftChange, incarnation: string): string {
  if (change.row !== undefined) {
    return documentLine(change.row);
  }
  const { id, partitionKeyText: key } = change.removed;
  const etag = deletionEtag(incarnation, change.position, key + id).slice(1, -1);
  return `{"_deleted":{"id":${JSON.stringify(id)},"partitionKey":${key}},"_etag":"${etag}"}`;
}

/** The line of what is committed as one, without its end. */
export function commitLine(changes: readonly DraftChange[], incarnation: string): string {
  const texts = changes.map((change) => changeText(change, incarnation));
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(',')}]`;
}

/** Reads a line. @throws what is wrong with it, as an error whose message says it without content */
export function parseLine(line: string, context: LineContext): LineEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The message of the parser repeats a piece of the text.
    throw new PerigeeError('INVALID_DOCUMENT', 'it is not JSON');
  }
  return Array.isArray(value) ? value.map((one: unknown) => parseEntry(one, context)) : [parseEntry(value, context)];
}

function parseEntry(value: unknown, context: LineContext): LineEntry {
  if (!isJsonObject(value)) {
    throw new PerigeeError('INVALID_DOCUMENT', 'it is not a JSON object');
  }
  if (Object.hasOwn(value, '_deleted') && !Object.hasOwn(value, 'id')) {
    return parseDeletion(value, context);
  }
  const document = prepareDocument(value, context.paths);
  const { ordinal, position } = readEtag(value['_etag']) ?? {};
  const given = value['_ts'];
  const ts = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 ? given : undefined;
  if (ordinal === undefined || position === undefined || ts === undefined) {
    return { kind: 'document', document, version: undefined, ordinal: undefined, ts };
  }
  const etag = lineEtag(context.incarnation, { ordinal, position, ts, body: document.text });
  if (etag.slice(1, -1) !== value['_etag']) {
    return { kind: 'document', document, version: undefined, ordinal, ts: undefined };
  }
  return { kind: 'document', document, version: { ordinal, position, ts, etag }, ordinal, ts };
}

function readEtag(etag: unknown): { readonly ordinal: number; readonly position: number } | undefined {
  const [, ordinal, position] = (typeof etag === 'string' ? ETAG.exec(etag) : null) ?? [];
  return ordinal === undefined ? undefined : { ordinal: Number(ordinal), position: Number(position) };
}

function parseDeletion(value: JsonObject, { incarnation, paths }: LineContext): LineEntry {
  const key = value['_deleted'];
  if (!isJsonObject(key)) {
    throw new PerigeeError('INVALID_DOCUMENT', 'its member "_deleted" is not an object');
  }
  const id = checkDocumentId(key['id']);
  const given = key['partitionKey'];
  const components = parsePartitionKeyText(JSON.stringify(Array.isArray(given) ? given : [given ?? null]));
  const text = partitionKeyText(normalizePartitionKey(components, paths.length));
  const position = readEtag(value['_etag'])?.position;
  const own = position !== undefined && deletionEtag(incarnation, position, text + id).slice(1, -1) === value['_etag'];
  return { kind: 'delete', partitionKeyText: text, id, position: own ? position : undefined };
}
