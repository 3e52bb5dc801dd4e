import fc from 'fast-check';

/** The same pattern in PCRE and for JavaScript's own engine, which backtracks: an oracle for short texts. */
export interface TwoPatterns {
  readonly pcre: string;
  /** For `new RegExp(…, 'u')`, or `'iu'` where case is ignored. */
  readonly native: string;
  /** Whether a repeated piece may take nothing: then JavaScript's engine may end elsewhere than PCRE. */
  readonly emptyLoop: boolean;
  readonly canBeEmpty: boolean;
}

function both(text: string, canBeEmpty = false): TwoPatterns {
  return { pcre: text, native: text, emptyLoop: false, canBeEmpty };
}

function written(pcre: string, native: string, canBeEmpty = false): TwoPatterns {
  return { pcre, native, emptyLoop: false, canBeEmpty };
}

const WORD = '[0-9A-Za-z_]';

const atom = fc.constantFrom(
  both('a'),
  both('b'),
  both('\\n'),
  both('[ab]'),
  both('[^a]'),
  both('[^\\n]'),
  both('[\\n-b]'),
  written('.', '[^\\n]'),
  written('\\w', WORD),
  written('\\W', '[^0-9A-Za-z_]'),
  written('\\s', '[\\t-\\r ]'),
  written('\\S', '[^\\t-\\r ]'),
  written('[\\S\\n]', '[^\\t\\v-\\r ]'),
  written('\\x41', 'A'),
  written('[[:alpha:]]', '[A-Za-z]'),
  written('[^[:space:]]', '[^\\t-\\r ]'),
  written('\\Qa\\E', 'a'),
  both('é'),
  both('中'),
  both('[é-中]'),
);

const END = '(?![^])';

const place = fc.constantFrom(
  written('^', `(?<![^])`, true),
  written('$', `(?=\\n?${END})`, true),
  written('(?m:^)', `(?:(?<![^])|(?<=\\n)(?=[^]))`, true),
  written('(?m:$)', `(?=\\n|${END})`, true),
  written('\\A', `(?<![^])`, true),
  written('\\z', END, true),
  written('\\Z', `(?=\\n?${END})`, true),
  written('\\b', '\\b', true),
  written('\\B', '\\B', true),
);

const quantifier = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,}', '{1,2}?');

type Parts = Record<'node' | 'repeated' | 'sequence', TwoPatterns>;

const { sequence } = fc.letrec<Parts>((tie) => ({
  repeated: fc.tuple(fc.oneof(atom, tie('node')), quantifier).map(([body, count]) => {
    const inner = { pcre: `(?:${body.pcre})${count}`, native: `(?:${body.native})${count}` };
    return {
      ...inner,
      emptyLoop: body.emptyLoop || body.canBeEmpty,
      canBeEmpty: body.canBeEmpty || /^[*?]|^\{0/.test(count),
    };
  }),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    place,
    tie('repeated'),
    fc.tuple(tie('sequence'), tie('sequence')).map(([left, right]) => ({
      pcre: `(?:${left.pcre}|${right.pcre})`,
      native: `(?:${left.native}|${right.native})`,
      emptyLoop: left.emptyLoop || right.emptyLoop,
      canBeEmpty: left.canBeEmpty || right.canBeEmpty,
    })),
    tie('sequence').map((body) => ({ ...body, pcre: `(${body.pcre})`, native: `(${body.native})` })),
  ),
  sequence: fc.array(tie('node'), { maxLength: 4 }).map((items) => ({
    pcre: items.map(({ pcre }) => pcre).join(''),
    native: items.map(({ native }) => native).join(''),
    emptyLoop: items.some(({ emptyLoop }) => emptyLoop),
    canBeEmpty: items.every(({ canBeEmpty }) => canBeEmpty),
  })),
}));

/** Patterns of everything that both engines can say. */
export const arbitraryPattern: fc.Arbitrary<TwoPatterns> = sequence;

/** Short texts of the characters that the patterns know; none beyond U+FFFF, where V8 finds places inside a character. */
export const arbitraryText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('a', 'b', '\n', '\n', ' ', 'A', 'B', 'é', 'É', '中'), { maxLength: 8 })
  .map((characters) => characters.join(''));
