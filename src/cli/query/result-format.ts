import type { JsonValue } from '../../core/json.ts';
import { csvFormat } from './csv-format.ts';
import { jsonText } from './json-text.ts';
import { tableFormat } from './table-format.ts';

/** Names of the formats, as `--format` takes them. */
export const FORMAT_NAMES = ['table', 'json', 'ndjson', 'csv'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** How results are written down. One instance writes one result; it keeps nothing of a page but what the next needs. */
export interface ResultFormat {
  /** The text of the next items. */
  page(items: readonly JsonValue[]): string;
  /** The text behind the last item. */
  end(): string;
  /** What somebody should be told about the text, once all of it is there. */
  warning?(): string | undefined;
}

/** Where results go. */
export interface FormatOptions {
  /** Columns of the screen. */
  readonly width: number;
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** Write strings into CSV that spreadsheets would take for formulas. */
  readonly rawCsv: boolean;
}

function ndjsonFormat(): ResultFormat {
  return {
    page: (items) => items.map((item) => `${jsonText(item)}\n`).join(''),
    end: () => '',
  };
}

/** One array, an item to a line. */
function jsonFormat(): ResultFormat {
  let isFirst = true;
  return {
    page(items) {
      return items
        .map((item) => {
          const lead = isFirst ? '[\n  ' : ',\n  ';
          isFirst = false;
          return lead + jsonText(item);
        })
        .join('');
    },
    end: () => (isFirst ? '[]\n' : '\n]\n'),
  };
}

/** A format for one result. */
export function resultFormat(name: FormatName, options: FormatOptions): ResultFormat {
  switch (name) {
    case 'table':
      return tableFormat(options);
    case 'json':
      return jsonFormat();
    case 'ndjson':
      return ndjsonFormat();
    case 'csv':
      return csvFormat(options);
    default:
      return name satisfies never;
  }
}
