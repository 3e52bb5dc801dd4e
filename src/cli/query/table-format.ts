import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { safeText } from '../safe-text.ts';
import { cutToWidth, displayWidth, padToWidth } from './display-width.ts';
import type { FormatOptions, ResultFormat } from './result-format.ts';

const GAP = '  ';
/** A column is not made narrower than this; those that have no room then are left out. */
const MIN_WIDTH = 6;
/** Characters of a cell that are looked at: more cannot be shown. */
const MAX_CELL = 2000;
const VALUE = 'value';

interface Cell {
  readonly text: string;
  readonly isNumber: boolean;
  readonly isDim: boolean;
}

const MISSING: Cell = { text: '', isNumber: false, isDim: false };

function cellOf(value: JsonValue | undefined): Cell {
  if (value === undefined) {
    return MISSING;
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { text: safeText(text.slice(0, MAX_CELL)), isNumber: typeof value === 'number', isDim: value === null };
}

function columnsOf(items: readonly JsonValue[]): readonly string[] | undefined {
  return items.every((item) => isJsonObject(item)) ? [...new Set(items.flatMap((item) => Object.keys(item)))] : undefined;
}

/** Takes from the widest columns until all fit, or each has only the least; then columns at the end are left out. */
function fitWidths(wanted: readonly number[], width: number): readonly number[] {
  const room = (count: number): number => width - GAP.length * (count - 1);
  const shown = wanted.slice(0, Math.max(1, Math.floor((width + GAP.length) / (MIN_WIDTH + GAP.length))));
  let limit = Math.max(...shown);
  const total = (most: number): number => shown.reduce((sum, one) => sum + Math.min(one, most), 0);
  // The greatest limit under which everything fits.
  let low = MIN_WIDTH;
  while (low < limit) {
    const middle = Math.ceil((low + limit) / 2);
    if (total(middle) <= room(shown.length)) {
      low = middle;
    } else {
      limit = middle - 1;
    }
  }
  return shown.map((one) => Math.min(one, Math.max(limit, MIN_WIDTH), width));
}

/**
 * A table to a page: columns as wide as the page needs, cut to the screen. Nested values are JSON; numbers stand to the right. Items that are no
 * objects make one column `value`.
 */
export function tableFormat({ width, colours }: Pick<FormatOptions, 'width' | 'colours'>): ResultFormat {
  const paint = (code: number, text: string): string => (colours && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text);
  const bold = (text: string): string => paint(1, text);
  const dim = (text: string): string => paint(2, text);
  let before: string | undefined;
  return {
    page(items) {
      if (items.length === 0) {
        return '';
      }
      const found = columnsOf(items);
      const names = found ?? [VALUE];
      const rows = items.map((item) =>
        found === undefined
          ? [cellOf(item)]
          : found.map((name) => cellOf(isJsonObject(item) && Object.hasOwn(item, name) ? item[name] : undefined)),
      );
      if (names.length === 0) {
        return items.map(() => `${dim('{}')}\n`).join('');
      }
      const titles = names.map(safeText);
      const wanted = titles.map((title, index) =>
        rows.reduce((most, row) => Math.max(most, displayWidth((row[index] as Cell).text)), displayWidth(title)),
      );
      const widths = fitWidths(wanted, width);
      const hidden = names.length - widths.length;
      const numeric = widths.map((_, index) => rows.every((row) => (row[index] as Cell).isNumber || row[index] === MISSING));
      const line = (cells: readonly string[]): string => `${cells.join(GAP).trimEnd()}\n`;
      const header = line(widths.map((one, index) => bold(padToWidth(cutToWidth(titles[index] as string, one), one, numeric[index]))));
      const rule = line(widths.map((one) => dim('─'.repeat(one))));
      const body = rows.map((row) =>
        line(
          widths.map((one, index) => {
            const { text, isDim } = row[index] as Cell;
            const padded = padToWidth(cutToWidth(text, one), one, numeric[index]);
            return isDim ? dim(padded) : padded;
          }),
        ),
      );
      const key = JSON.stringify([names, widths]);
      const lead = before === undefined ? header + rule : before === key ? '' : `\n${header}${rule}`;
      before = key;
      const note =
        hidden === 0
          ? ''
          : dim(
              `(${hidden} more ${hidden === 1 ? 'column has' : 'columns have'} no room: ${titles
                .slice(widths.length)
                .map((title) => cutToWidth(title, 30))
                .slice(0, 10)
                .join(', ')})`,
            ) + '\n';
      return lead + body.join('') + note;
    },
    end: () => '',
  };
}
