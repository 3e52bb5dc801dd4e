/**
 * Words after the default rules of Unicode (UAX #29): letters, digits and marks; an apostrophe, a full stop, a colon or a middle dot stays
 * inside where letters stand on both sides of it, and a separator of numbers where digits do.
 *
 * `Intl.Segmenter` is not used for this: its dictionaries differ between platforms and versions, so an index would not fit the query that reads
 * it, and each of its segments holds a copy of the whole text, which ends in a failed allocation for a text of half a megabyte.
 */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*(?:(?:(?<=[\p{L}\p{M}])['.:·](?=\p{L})|(?<=\p{N})[.,';](?=\p{N}))[\p{L}\p{N}\p{M}_]+)*/gu;

/** The same, but an apostrophe ends a word. */
const ELIDING_WORD =
  /[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*(?:(?:(?<=[\p{L}\p{M}])[.:·](?=\p{L})|(?<=\p{N})[.,;](?=\p{N}))[\p{L}\p{N}\p{M}_]+)*/gu;

const APOSTROPHES = /[\u2018\u2019\uff07]/g;

/** Scripts that write no blanks between words: each character is a word, so that a term is found as a phrase of them. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}]/u;
const UNSPACED_PARTS = /[\p{Script=Han}\p{Script=Hiragana}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}])[^])+/gu;

/**
 * More marks in a row than any language writes. NFC puts marks in order in a time that grows with the square of their number, so that a document of nothing else
 * would stop the process for minutes: as in the Stream-Safe Text Format (UAX #15, section 13), a joiner ends each run.
 */
const MARKS_WITHOUT_END = /\p{M}{30}(?=\p{M})/gu;

/** The words of a text, in lower case and in composed form (NFC), in their order. */
export function splitWords(text: string, splitsApostrophes: boolean = false): readonly string[] {
  const plain = text.replace(MARKS_WITHOUT_END, '$&\u034f').normalize('NFC').replace(APOSTROPHES, "'").toLowerCase();
  const words = plain.match(splitsApostrophes ? ELIDING_WORD : WORD) ?? [];
  return UNSPACED.test(plain) ? words.flatMap((word) => word.match(UNSPACED_PARTS) ?? []) : words;
}
