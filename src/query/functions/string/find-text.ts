/** Below so many comparisons at the worst, the engine's own search is used. */
const FEW_COMPARISONS = 100_000_000;

/** For each length of a beginning, the longest proper beginning of it that is also its end. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length + 1);
  let border = 0;
  for (let index = 1; index < text.length; index += 1) {
    while (border > 0 && text.charCodeAt(index) !== text.charCodeAt(border)) {
      border = borders[border] as number;
    }
    if (text.charCodeAt(index) === text.charCodeAt(border)) {
      border += 1;
    }
    borders[index + 1] = border;
  }
  return borders;
}

function searchLinear(text: string, other: string, start: number): number {
  const borders = bordersOf(other);
  let matched = 0;
  for (let index = start; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && unit !== other.charCodeAt(matched)) {
      matched = borders[matched] as number;
    }
    if (unit === other.charCodeAt(matched)) {
      matched += 1;
    }
    if (matched === other.length) {
      return index - matched + 1;
    }
  }
  return -1;
}

function reversed(text: string): string {
  return text.split('').toReversed().join('');
}

function isLong(text: string, other: string): boolean {
  return other.length > 1 && (text.length - other.length) * other.length > FEW_COMPARISONS;
}

/**
 * `text.indexOf(other, start)` in linear time.
 *
 * What an engine gives compares some pairs of texts in time of one length times the other: minutes for two of a megabyte. Long ones are
 * searched by Knuth, Morris and Pratt.
 */
export function findText(text: string, other: string, start: number = 0): number {
  return isLong(text, other) ? searchLinear(text, other, Math.max(start, 0)) : text.indexOf(other, start);
}

/** `text.lastIndexOf(other, start)` in linear time. */
export function findLastText(text: string, other: string, start: number): number {
  if (!isLong(text, other)) {
    return text.lastIndexOf(other, start);
  }
  const end = Math.min(start + other.length, text.length);
  const found = searchLinear(reversed(text.slice(0, end)), reversed(other), 0);
  return found < 0 ? -1 : end - found - other.length;
}

/** `text.split(other)` in linear time, with at most so many pieces; `other` is not empty. */
export function splitText(text: string, other: string, most: number): string[] {
  if (!isLong(text, other)) {
    return text.split(other, most);
  }
  const pieces: string[] = [];
  let start = 0;
  for (let at = findText(text, other); at >= 0 && pieces.length < most; at = searchLinear(text, other, start)) {
    pieces.push(text.slice(start, at));
    start = at + other.length;
  }
  return [...pieces, text.slice(start)].slice(0, most);
}
