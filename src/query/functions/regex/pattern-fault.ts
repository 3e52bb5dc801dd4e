/** What is wrong with a pattern: `invalid` in the language of patterns itself, a feature without an equal in linear time, or too much of it. */
export type PatternFaultKind = 'invalid' | 'unsupported' | 'limit';

/** Ends the reading of a pattern. It never leaves this folder. */
export class PatternFault extends Error {
  readonly kind: PatternFaultKind;
  /** The feature, in words that hold nothing of the pattern. */
  readonly feature: string;

  constructor(kind: PatternFaultKind, feature: string) {
    super(feature);
    this.kind = kind;
    this.feature = feature;
  }
}

/** Not a pattern at all. */
export function invalid(): never {
  throw new PatternFault('invalid', 'an invalid pattern');
}

/** A feature that is refused by name. */
export function unsupported(feature: string): never {
  throw new PatternFault('unsupported', feature);
}
