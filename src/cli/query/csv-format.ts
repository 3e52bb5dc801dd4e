import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { jsonText } from './json-text.ts';
import type { FormatOptions, ResultFormat } from './result-format.ts';

/** Spreadsheets take a cell that starts so for a formula, which may read files or call addresses. */
const FORMULA = /^[=+\-@\t\r]/u;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^$/u;
const CONTROLS = /(?![\n\t]|\r\n)\p{Cc}/gu;
const NAMES_IN_WARNING = 5;

/**
 * CSV as RFC 4180 has it: a header, commas, CRLF. A missing value is an empty cell, an empty string `""`, null `null`; arrays and objects are JSON.
 *
 * The columns are the members of the items of the first page, in the order in which they come; where one of these is no object, there is one
 * column `value`. Later items may have other members: those are left out, and a warning names them. Strings that a spreadsheet would take for a
 * formula get an apostrophe in front, unless they are wanted raw. On a terminal control characters are replaced.
 */
export function csvFormat({ rawCsv, isTerminal }: Pick<FormatOptions, 'rawCsv' | 'isTerminal'>): ResultFormat {
  let columns: readonly string[] | 'value' | undefined;
  const unknown = new Set<string>();
  let affected = 0;

  const textCell = (text: string): string => {
    const guarded = !rawCsv && FORMULA.test(text) ? `'${text}` : text;
    const shown = isTerminal ? guarded.replaceAll(CONTROLS, '\ufffd') : guarded;
    return NEEDS_QUOTES.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
  };
  const cell = (value: JsonValue | undefined): string => {
    if (value === undefined) {
      return '';
    }
    if (typeof value === 'string') {
      return textCell(value);
    }
    const json = jsonText(value);
    return NEEDS_QUOTES.test(json) ? `"${json.replaceAll('"', '""')}"` : json;
  };
  const row = (item: JsonValue): string => {
    if (columns === 'value' || columns === undefined) {
      return cell(item);
    }
    const known = columns;
    const object = isJsonObject(item) ? item : undefined;
    const others = object === undefined ? ['(an item that is no object)'] : Object.keys(object).filter((key) => !known.includes(key));
    affected += others.length > 0 ? 1 : 0;
    for (const name of others.slice(0, NAMES_IN_WARNING + 1)) {
      if (unknown.size <= NAMES_IN_WARNING) {
        unknown.add(name);
      }
    }
    return known.map((name) => cell(object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined)).join(',');
  };
  return {
    page(items) {
      let header = '';
      if (columns === undefined && items.length > 0) {
        columns = items.every((item) => isJsonObject(item)) ? [...new Set(items.flatMap((item) => Object.keys(item)))] : 'value';
        header = `${columns === 'value' ? columns : columns.map(textCell).join(',')}\r\n`;
      }
      return header + items.map((item) => `${row(item)}\r\n`).join('');
    },
    end: () => '',
    warning() {
      if (affected === 0) {
        return undefined;
      }
      const names = [...unknown].slice(0, NAMES_IN_WARNING).map((name) => JSON.stringify(name));
      const more = unknown.size > NAMES_IN_WARNING ? ' and others' : '';
      return (
        `${affected} ${affected === 1 ? 'item has' : 'items have'} properties without a column, which were left out: ${names.join(', ')}${more}. ` +
        'Name the properties in SELECT, or use --format ndjson.'
      );
    },
  };
}
