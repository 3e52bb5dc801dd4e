import type { JsonObject } from '../../core/json.ts';
import type { ResidentRow } from './resident-container.ts';

/** How much text the parsed documents of one container may have come from, in UTF-16 units; the objects take two or three times that. */
const MAX_TEXT = 16 * 1024 * 1024;

interface Parsed {
  readonly row: ResidentRow;
  readonly document: JsonObject;
}

/**
 * Documents of rows that queries have parsed, for the next query: parsing takes most of the time of a scan.
 *
 * What it gives is shared, so nobody may change it or hand it on. Bounded: of a container that is larger, what came first is kept.
 */
export class ParsedRows {
  /** By ordinal, which a document keeps: a newer version takes the place of the older. */
  readonly #parsed = new Map<number, Parsed>();
  #text = 0;

  /** The document of a row. It must not be changed. */
  documentOf(row: ResidentRow): JsonObject {
    const known = this.#parsed.get(row.ordinal);
    if (known?.row === row) {
      return known.document;
    }
    const document = JSON.parse(row.text) as JsonObject;
    const text = this.#text + row.text.length - (known?.row.text.length ?? 0);
    if (text <= MAX_TEXT) {
      this.#parsed.set(row.ordinal, { row, document });
      this.#text = text;
    }
    return document;
  }

  /** Forgets everything where much of it is of documents that are no more; `size` is how many there are. */
  tidy(size: number): void {
    if (this.#parsed.size > 2 * size) {
      this.#parsed.clear();
      this.#text = 0;
    }
  }
}
