import { complement, posixSet, type CharacterSet, type CodePoints } from './character-set.ts';
import { invalid, unsupported } from './pattern-fault.ts';
import type { PatternReader } from './pattern-reader.ts';
import { readEscape } from './read-escape.ts';

const BACKSPACE = 8;

/** One member of a class: a character, which a hyphen may make the end of a range, or several at once. */
type Member = number | { readonly fixed: readonly CodePoints[] } | { readonly category: string };

function readPosix(reader: PatternReader): Member | undefined {
  const found = reader.match(/\[:(\^?)([a-z]+):\]/y);
  if (found === undefined) {
    return reader.match(/\[[.=][^\]]{0,40}[.=]\]/y) === undefined ? undefined : invalid();
  }
  const ranges = posixSet(found[2] as string, reader.flags.ignoreCase) ?? invalid();
  return { fixed: found[1] === '^' ? complement(ranges) : ranges };
}

function readEscapedMember(reader: PatternReader): Member {
  const escape = readEscape(reader);
  switch (escape.kind) {
    case 'character':
      return escape.codePoint;
    case 'ranges':
      return { fixed: escape.ranges };
    case 'category':
      return { category: escape.text };
    default:
      if (escape.letter === 'b') {
        return BACKSPACE;
      }
      return /[1-9]/.test(escape.letter) ? unsupported('an octal number without a leading 0 in a class') : invalid();
  }
}

function readMember(reader: PatternReader): Member {
  if (reader.peek() === '[') {
    const posix = readPosix(reader);
    if (posix !== undefined) {
      return posix;
    }
  }
  return reader.take('\\') ? readEscapedMember(reader) : (reader.next().codePointAt(0) as number);
}

/** `\Q` to `\E` quotes within a class, too. An unquoted `]` ends it. */
function endsHere(reader: PatternReader, isFirst: boolean): boolean {
  while (reader.take('\\E')) {
    // A `\E` that ends no quotation is nothing.
  }
  if (reader.text.startsWith('\\Q', reader.at)) {
    unsupported('a quotation within a class');
  }
  return !isFirst && reader.take(']');
}

/** Reads a class whose `[` is taken. */
export function readClass(reader: PatternReader): CharacterSet {
  if (reader.match(/:\^?[a-z]*:\]|[.=][^\]]{0,40}[.=]\]/y) !== undefined) {
    invalid();
  }
  const negated = reader.take('^');
  const cased: CodePoints[] = [];
  const fixed: CodePoints[] = [];
  const categories: string[] = [];
  for (let isFirst = true; !endsHere(reader, isFirst); isFirst = false) {
    const member = readMember(reader);
    const isRange = /-[^\]]/y.test(reader.text.slice(reader.at, reader.at + 2));
    if (typeof member !== 'number') {
      if (isRange) {
        unsupported('a hyphen after a set of characters in a class');
      }
      if ('fixed' in member) {
        fixed.push(...member.fixed);
      } else {
        categories.push(member.category);
      }
      continue;
    }
    if (!isRange) {
      cased.push([member, member]);
      continue;
    }
    reader.take('-');
    if (reader.text.startsWith('\\E', reader.at) || reader.text.startsWith('\\Q', reader.at)) {
      unsupported('a quotation within a class');
    }
    const last = readMember(reader);
    if (typeof last !== 'number') {
      unsupported('a hyphen before a set of characters in a class');
    }
    cased.push(last < member ? invalid() : [member, last]);
  }
  return { negated, cased, fixed, categories };
}
