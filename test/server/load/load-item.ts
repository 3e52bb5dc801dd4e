import type { Draw } from '../hostile/draw.ts';

/** A document of the load test, of about 500 bytes. */
export interface LoadItem {
  readonly id: string;
  readonly pk: string;
  /** Number of the one client that writes it. */
  readonly worker: number;
  readonly kind: string;
  readonly n: number;
  readonly revision: number;
  readonly tags: readonly string[];
  readonly place: { readonly x: number; readonly y: number };
  readonly text: string;
}

/** What `n` is below. */
export const MAX_N = 10_000;

export const KINDS: readonly string[] = ['note', 'task', 'event', 'place', 'photo'];

const WORDS = 'all work and no play makes a dull document so this one has some words to reach its size and then a few more'.split(' ');

/** A document with chance content. */
export function drawItem(draw: Draw, id: string, pk: string, worker: number, revision: number): LoadItem {
  return {
    id,
    pk,
    worker,
    kind: draw.pick(KINDS),
    n: draw.below(MAX_N),
    revision,
    tags: [draw.pick(WORDS), draw.pick(WORDS), `tag-${draw.below(100)}`],
    place: { x: draw.below(360) / 2, y: draw.below(180) / 4 },
    text: Array.from({ length: 40 }, () => draw.pick(WORDS)).join(' '),
  };
}
