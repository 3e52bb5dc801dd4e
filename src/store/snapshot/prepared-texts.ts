import { prepareDocument, type PreparedDocument } from '../prepared-document.ts';
import type { SnapshotVersion } from './snapshot-record.ts';

/** What a store has to know of a document's text. */
export type PreparedText = Pick<PreparedDocument, 'id' | 'partitionKey' | 'partitionKeyText' | 'text' | 'ttl'>;

/**
 * What this process has checked of records that it still holds: a snapshot that stays in memory, as the starting point of each of many tests, is checked
 * once. Records are never changed.
 */
const prepared = new WeakMap<SnapshotVersion, { readonly paths: string; readonly text: PreparedText }>();

/** Remembers a record whose text was a document already. */
export function rememberText(record: SnapshotVersion, paths: string, text: PreparedText): void {
  prepared.set(record, { paths, text });
}

/**
 * Checks the text of a record as a document.
 *
 * @param paths the partition key paths as one text, by which a checked record is told from the same in another container
 * @throws what {@link prepareDocument} throws, SyntaxError
 */
export function prepareText(record: SnapshotVersion, paths: string, parsed: readonly (readonly string[])[]): PreparedText {
  const known = prepared.get(record);
  if (known?.paths === paths) {
    return known.text;
  }
  const { id, partitionKey, partitionKeyText, text, ttl } = prepareDocument(JSON.parse(record.text), parsed);
  const checked = { id, partitionKey, partitionKeyText, text, ttl };
  rememberText(record, paths, checked);
  return checked;
}
