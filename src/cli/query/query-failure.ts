import { isPerigeeError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { safeText } from '../safe-text.ts';
import { displayWidth } from './display-width.ts';

const SHOWN_ERRORS = 3;
/** Characters of the line in front of the place and from it on. */
const BEFORE = 50;
const FROM = 40;

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Where in the query an error is, in the shape of the service. */
function placesOf(error: unknown): readonly Place[] {
  const entries: unknown = isPerigeeError(error) ? error.details['errors'] : undefined;
  return (Array.isArray(entries) ? (entries as readonly unknown[]) : []).slice(0, SHOWN_ERRORS).flatMap((entry) => {
    const location: unknown = isJsonObject(entry) ? entry['location'] : undefined;
    const { start, end } = isJsonObject(location) ? location : {};
    return typeof start === 'number' && typeof end === 'number' ? [{ start, end }] : [];
  });
}

/**
 * Lines that show where in a query an error is: the line of the query, and `^` under the place. Of a long line only the part around it.
 * Empty for an error that has no place.
 */
export function caretLines(error: unknown, query: string): readonly string[] {
  return placesOf(error)
    .filter(({ start }) => start >= 0 && start <= query.length)
    .flatMap(({ start, end }) => {
      const lineStart = query.lastIndexOf('\n', start - 1) + 1;
      const lineEnd = query.indexOf('\n', start);
      const line = query.slice(lineStart, lineEnd === -1 ? undefined : lineEnd);
      const [from, to] = [start - lineStart, Math.min(end, lineStart + line.length) - lineStart];
      const lead = from > BEFORE ? `…${safeText(line.slice(from - BEFORE, from))}` : safeText(line.slice(0, from));
      const shown = safeText(line.slice(from, from + FROM));
      const marked = safeText(line.slice(from, Math.min(Math.max(to, from + 1), from + FROM)));
      return [
        `  ${lead}${shown}${line.length > from + FROM ? '…' : ''}`.trimEnd(),
        `  ${' '.repeat(displayWidth(lead))}${'^'.repeat(Math.max(1, displayWidth(marked)))}`,
      ];
    });
}
