import { PerigeeError } from '../../core/errors.ts';

/** The step of a path that stands for every element of an array. */
export const ARRAY_STEP = '[]';

/**
 * A path of an index policy.
 *
 * `segments` are property names, and `[]` where each element of an array is meant. `ending` says what is indexed there: `?` the scalar value,
 * `*` everything at and below. A tuple path such as `/tags/[]/{a, b}/?` has one path relative to `segments` for each member of the tuple.
 */
export interface PolicyPath {
  readonly text: string;
  readonly segments: readonly string[];
  readonly ending: '?' | '*';
  readonly tuple: readonly (readonly string[])[] | undefined;
}

const NAME = /^(?:"((?:[^"\\]|\\.)*)"|([^\s\p{Cc}"#%&'()*+,;<=>?[\\\]^`{|}~!/]+))/u;

function refuse(text: string, position: number, hint: string): PerigeeError {
  return new PerigeeError(
    'INVALID_CONTAINER',
    `The indexing path ${JSON.stringify(text)} could not be accepted, failed near position ${position}. ${hint}`,
  );
}

const NAMES_HINT = 'Write it as /name/?, /name/[]/other/? or /name/*, with double quotes around names of other characters: /"my-name"/?.';

/** Reads names and `[]` from `start` on, as far as they go. */
function readSteps(text: string, start: number): { readonly steps: readonly string[]; readonly end: number } {
  const steps: string[] = [];
  let end = start;
  while (text[end] === '/') {
    if (text.startsWith('/[]', end)) {
      steps.push(ARRAY_STEP);
      end += 3;
      continue;
    }
    const match = NAME.exec(text.slice(end + 1));
    if (match === null) {
      break;
    }
    const name = match[2] ?? (match[1] ?? '').replaceAll(/\\(.)/gu, '$1');
    if (name === ARRAY_STEP) {
      throw refuse(text, end + 1, 'A property of the name [] cannot be in an index policy.');
    }
    steps.push(name);
    end += 1 + match[0].length;
  }
  return { steps, end };
}

/** The members between the braces of a tuple path. */
function readTuple(text: string, inner: string, position: number): readonly (readonly string[])[] {
  return inner.split(',').map((member) => {
    const path = `/${member.trim()}`;
    const { steps, end } = readSteps(path, 0);
    if (steps.length === 0 || end !== path.length) {
      throw refuse(text, position, 'A tuple lists names: /tags/[]/{a, b}/?.');
    }
    return steps;
  });
}

const TUPLE = /^\/\{([^{}]*)\}/u;

/** Reads a path of included or excluded paths: it ends in `/?` or `/*`. `/` alone is `/*`. @throws INVALID_CONTAINER */
export function parsePolicyPath(text: string): PolicyPath {
  if (text === '/') {
    return { text: '/*', segments: [], ending: '*', tuple: undefined };
  }
  const { steps, end } = readSteps(text, 0);
  const braces = TUPLE.exec(text.slice(end));
  const tuple = braces === null ? undefined : readTuple(text, braces[1] ?? '', end);
  const rest = text.slice(end + (braces?.[0].length ?? 0));
  if (rest === '/*' && tuple === undefined) {
    return { text, segments: steps, ending: '*', tuple };
  }
  if (rest === '/?' && (steps.length > 0 || tuple !== undefined)) {
    return { text, segments: steps, ending: '?', tuple };
  }
  throw refuse(text, text.length - rest.length, rest === '' ? 'A path ends in /? (the scalar value) or /* (all below).' : NAMES_HINT);
}

/** Reads a path without an ending, as composite, full-text and vector indexes have it. @throws INVALID_CONTAINER */
export function parsePlainPath(text: string): readonly string[] {
  const { steps, end } = readSteps(text, 0);
  if (steps.length === 0 || end !== text.length) {
    throw refuse(text, end, 'Here a path names a property without an ending: /name or /name/other.');
  }
  return steps;
}
