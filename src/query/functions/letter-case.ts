// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;

/** Changes each character by itself, and only where the result takes as many units: so offsets stay, and no neighbour has a say. */
function mapCharacters(text: string, change: (character: string) => string): string {
  let result = '';
  for (const character of text) {
    const changed = change(character);
    result += changed.length === character.length ? changed : character;
  }
  return result;
}

/** Upper case by the invariant culture's simple mapping: `ß` stays, because it has no single capital. */
export function upperCase(text: string): string {
  return ASCII.test(text) ? text.toUpperCase() : mapCharacters(text, (character) => character.toUpperCase());
}

/** Lower case by the invariant culture's simple mapping. */
export function lowerCase(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : mapCharacters(text, (character) => character.toLowerCase());
}

/** The form in which texts that differ only by case are the same; as long as the text. */
export function foldCase(text: string): string {
  return upperCase(text);
}
