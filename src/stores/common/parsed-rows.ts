import type { JsonObject } from '../../core/json.ts';
import type { SourceRow } from '../../query/executor/query-source.ts';
import type { CreationEntry } from './creation-entry.ts';
import type { ResidentRow } from './resident-container.ts';

/** How much text the parsed documents of one container may have come from, in UTF-16 units; the objects take two or three times that. */
const MAX_TEXT = 16 * 1024 * 1024;

/**
 * Documents of rows that queries have parsed, for the next query: parsing takes most of the time of a scan. They lie at the entries of the rows,
 * so that a scan finds them without looking anything up.
 *
 * What it gives is shared, so nobody may change it or hand it on. Bounded: of a container that is larger, what came first is kept.
 */
export class ParsedRows {
  #text = 0;

  /** The document of a row, which is that of the entry. It must not be changed. */
  rowOf(entry: CreationEntry, row: ResidentRow): SourceRow {
    return entry.parsed ?? this.#parse(entry, row);
  }

  /** Forgets the document of an entry, whose row is about to be another or none. */
  forget(entry: CreationEntry): void {
    if (entry.parsed !== undefined) {
      this.#text -= entry.bytes;
      entry.parsed = undefined;
    }
  }

  #parse(entry: CreationEntry, row: ResidentRow): SourceRow {
    const parsed = { ordinal: row.ordinal, document: JSON.parse(row.text) as JsonObject };
    if (this.#text + entry.bytes <= MAX_TEXT) {
      entry.parsed = parsed;
      this.#text += entry.bytes;
    }
    return parsed;
  }
}
