import type { LikePattern } from '../common/like-pattern.ts';

const SPECIAL = /[*?[]/g;

/** A pattern of LIKE as one of GLOB. */
export function globOf({ pieces }: LikePattern): string {
  return pieces
    .map((piece) => {
      switch (piece.kind) {
        case 'text':
          return piece.text.replaceAll(SPECIAL, (character) => `[${character}]`);
        case 'set':
          return piece.text;
        default:
          return piece.kind === 'any' ? '*' : '?';
      }
    })
    .join('');
}
