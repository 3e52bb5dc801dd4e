import type { PatternNode } from './pattern-node.ts';

/** A text that every match holds; at `start`, every text that matches begins with it. */
export interface RequiredText {
  readonly text: string;
  readonly place: 'start' | 'anywhere';
}

/** Gathers runs of characters that follow each other in every match. */
class Runs {
  #run = '';
  /** Whether the run is where the text begins. */
  #atStart = false;
  /** Whether nothing has been taken yet. */
  #fresh = true;
  prefix = '';
  longest = '';

  look(node: PatternNode): void {
    switch (node.kind) {
      case 'character':
        this.#character(node.codePoint, node.ignoreCase);
        break;
      case 'place':
        this.#atStart ||= this.#fresh && node.place === 'start';
        break;
      case 'group':
        this.look(node.body);
        break;
      case 'sequence':
        node.items.forEach((item) => this.look(item));
        break;
      case 'repeat':
        if (node.least > 0) {
          this.look(node.body);
        }
        this.end();
        break;
      default:
        this.end();
    }
  }

  end(): void {
    if (this.#atStart && this.prefix === '') {
      this.prefix = this.#run;
    }
    this.longest = this.#run.length > this.longest.length ? this.#run : this.longest;
    this.#run = '';
    this.#atStart = false;
    this.#fresh = false;
  }

  #character(codePoint: number, ignoreCase: boolean): void {
    const character = String.fromCodePoint(codePoint);
    // Where case is ignored, ASCII characters that are no letters still stand for themselves alone.
    if (ignoreCase && !/[\u0020-\u0040[-`{-~]/.test(character)) {
      this.end();
      return;
    }
    this.#fresh = false;
    this.#run += character;
  }
}

/**
 * The text that every match of a pattern holds, so that texts without it need not be searched: what it begins with where that is known, else
 * the longest. Undefined where there is none.
 */
export function requiredTextOf(node: PatternNode): RequiredText | undefined {
  const runs = new Runs();
  runs.look(node);
  runs.end();
  if (runs.prefix !== '') {
    return { text: runs.prefix, place: 'start' };
  }
  return runs.longest === '' ? undefined : { text: runs.longest, place: 'anywhere' };
}
