import { isDeepStrictEqual } from 'node:util';
import type { Movie } from './movies.ts';

/** A document as one side holds it. */
type Held = Movie & Readonly<Record<string, unknown>>;

/** The user's part of a document: without the store's properties and the sync stamp. */
function plain(document: Held): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_')));
}

function isTombstone(document: Held): boolean {
  return (document['_perigee'] as { deleted?: boolean } | undefined)?.deleted === true;
}

/** Compares every document of every side, property order included, and names the ids that differ. */
export function compareSides(sides: Readonly<Record<string, readonly Movie[]>>): {
  readonly documents: number;
  readonly differing: readonly string[];
} {
  const maps = Object.values(sides).map(
    (documents) =>
      new Map(
        (documents as readonly Held[])
          .filter((document) => !isTombstone(document))
          .map((document) => [`${document.studio}/${document.id}`, plain(document)]),
      ),
  );
  const keys = new Set(maps.flatMap((map) => [...map.keys()]));
  const [first, ...others] = maps as [Map<string, Record<string, unknown>>, ...Map<string, Record<string, unknown>>[]];
  const differing = [...keys].filter((key) =>
    others.some(
      (map) => !isDeepStrictEqual(first.get(key), map.get(key)) || JSON.stringify(first.get(key)) !== JSON.stringify(map.get(key)),
    ),
  );
  return { documents: keys.size, differing };
}
