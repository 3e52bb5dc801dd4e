import type { CharacterSet } from './character-set.ts';

/**
 * A place in the text: `start` and `end` of the whole, `line-start` and `line-end`, `end-or-final-newline` (the end, or before a newline
 * that is the last character), a word boundary or none.
 */
export type Place = 'start' | 'end' | 'line-start' | 'line-end' | 'end-or-final-newline' | 'boundary' | 'no-boundary';

/** A piece of a pattern. */
export type PatternNode =
  | { readonly kind: 'character'; readonly codePoint: number; readonly ignoreCase: boolean }
  | { readonly kind: 'set'; readonly set: CharacterSet; readonly ignoreCase: boolean }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'group'; readonly captures: boolean; readonly body: PatternNode }
  | { readonly kind: 'repeat'; readonly least: number; readonly most: number; readonly lazy: boolean; readonly body: PatternNode }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] };

/** Whether the piece matches the empty text somewhere. */
export function canBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case 'character':
    case 'set':
      return false;
    case 'place':
      return true;
    case 'group':
      return canBeEmpty(node.body);
    case 'repeat':
      return node.least === 0 || canBeEmpty(node.body);
    case 'sequence':
      return node.items.every(canBeEmpty);
    case 'choice':
      return node.options.some(canBeEmpty);
    default:
      return node satisfies never;
  }
}
