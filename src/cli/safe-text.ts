/** What a terminal may take for an instruction: control characters, and marks that turn the direction of text around. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with escapes such as `\n` and `\u001b` for what would move the cursor or change the terminal. */
export function safeText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for a text of several lines, which stay lines. */
export function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n');
}
