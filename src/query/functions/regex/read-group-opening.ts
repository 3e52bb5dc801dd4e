import { invalid, unsupported } from './pattern-fault.ts';
import type { PatternFlags, PatternReader } from './pattern-reader.ts';

const REFUSED: readonly (readonly [opening: RegExp, feature: string])[] = [
  [/\*/y, 'a verb or an assertion in words, such as (*FAIL)'],
  [/\?<?=/y, 'look-around'],
  [/\?<?!/y, 'look-around'],
  [/\?<?\*/y, 'look-around'],
  [/\?>/y, 'an atomic group'],
  [/\?\|/y, 'a group that resets numbers (?|'],
  [/\?(?:R|[+-]?\d|&|P>)/y, 'a recursion or a call of a group'],
  [/\?P=/y, 'a named back-reference'],
  [/\?\(/y, 'a conditional group'],
  [/\?C/y, 'a callout'],
  [/\?\[/y, 'an extended class'],
];

const FLAG_OF: Readonly<Record<string, keyof PatternFlags>> = { m: 'multiline', s: 'dotAll', i: 'ignoreCase', x: 'extended' };

function withFlags(flags: PatternFlags, letters: string, value: boolean): PatternFlags {
  const changed: Record<keyof PatternFlags, boolean> = { ...flags };
  for (const letter of letters) {
    const name = Object.hasOwn(FLAG_OF, letter) ? FLAG_OF[letter] : undefined;
    if (name === undefined) {
      unsupported('an option other than i, m, s and x within the pattern');
    }
    changed[name] = value;
  }
  if (letters.includes('xx')) {
    unsupported('an option other than i, m, s and x within the pattern');
  }
  return changed;
}

/**
 * Reads what follows the `(` of a group: whether it captures, or holds no body but sets options to the end of the group around it. Options
 * for its own body are set on the reader.
 */
export function readGroupOpening(reader: PatternReader): 'captures' | 'plain' | 'options' {
  for (const [opening, feature] of REFUSED) {
    opening.lastIndex = reader.at;
    if (opening.test(reader.text)) {
      unsupported(feature);
    }
  }
  if (!reader.take('?')) {
    return 'captures';
  }
  const named = reader.match(/P?<([A-Za-z_]\w{0,31})>|'([A-Za-z_]\w{0,31})'/y);
  if (named !== undefined) {
    const name = (named[1] ?? named[2]) as string;
    if (reader.groupNames.has(name)) {
      invalid();
    }
    reader.groupNames.add(name);
    return 'captures';
  }
  if (reader.peek() === '^') {
    unsupported('an option other than i, m, s and x within the pattern');
  }
  const options = reader.match(/([A-Za-z]*)(?:-([A-Za-z]*))?([:)])/y) ?? invalid();
  reader.flags = withFlags(withFlags(reader.flags, options[1] as string, true), options[2] ?? '', false);
  return options[3] === ':' ? 'plain' : 'options';
}
