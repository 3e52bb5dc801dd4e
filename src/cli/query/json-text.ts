/** U+007F to U+009F, which JSON leaves as they are and terminals may obey. */
const LATE_CONTROLS = /[\u007f-\u009f]/gu;

/** A value as JSON without any control character. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(LATE_CONTROLS, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
