const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Characters that take two columns: East Asian wide ones, and pictures. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f)/u;
const NO_WIDTH = /^(?:\p{Mark}|\p{Cf})+$/u;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/u;

function widthOf(grapheme: string): number {
  return NO_WIDTH.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1;
}

/** How many columns of a terminal a text without control characters takes. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    width += widthOf(segment);
  }
  return width;
}

/** Cuts a text to so many columns; `…` stands for what was cut. */
export function cutToWidth(text: string, width: number): string {
  // A grapheme has few characters: more text than this cannot be of use.
  const start = text.length > width * 16 + 64 ? text.slice(0, width * 16 + 64) : text;
  if (start.length === text.length && displayWidth(text) <= width) {
    return text;
  }
  let cut = '';
  let used = 0;
  for (const { segment } of GRAPHEMES.segment(start)) {
    used += widthOf(segment);
    if (used > width - 1) {
      break;
    }
    cut += segment;
  }
  return `${cut}…`;
}

/** Fills a text with blanks to so many columns, on the left where `right`. */
export function padToWidth(text: string, width: number, right = false): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? blanks + text : text + blanks;
}
