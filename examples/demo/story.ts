import type { Edit } from './messages.ts';
import type { Movie } from './movies.ts';

/** The studios that both devices hold: six partition keys. */
export const SCOPE: readonly string[] = [
  'Warner Bros.',
  'Sony Pictures',
  'Paramount Pictures',
  'Universal',
  'Walt Disney Pictures',
  '20th Century Fox',
];

const inScope = (movies: readonly Movie[]): Movie[] => movies.filter(({ studio }) => SCOPE.includes(studio));

/** The film that both devices change while offline. */
export function sharedFilm(movies: readonly Movie[]): Movie {
  return inScope(movies)[0] as Movie;
}

function change(movie: Movie, device: string, rating: number): Edit {
  return { kind: 'change', id: movie.id, studio: movie.studio, rating, note: `seen by the ${device}` };
}

/** What one device's user does while offline: forty changes, five deletions, eight new films, and one change to a film that the other changes too. */
export function deviceEdits(movies: readonly Movie[], device: 'phone' | 'laptop'): Edit[] {
  const own = inScope(movies).filter((_, index) => index % 20 === (device === 'phone' ? 3 : 11));
  const changed = own.slice(0, 40).map((movie, index) => change(movie, device, 5 + (index % 5)));
  const removed = own.slice(40, 45).map(({ id, studio }): Edit => ({ kind: 'remove', id, studio }));
  const created = Array.from({ length: 8 }, (_, index): Edit => {
    const movie: Movie = {
      id: `${device}-${index}`,
      studio: SCOPE[index % SCOPE.length] as string,
      title: `Shot on the ${device} ${index}`,
      year: 2026,
      genre: null,
      director: null,
      rating: null,
      votes: 0,
      gross: null,
    };
    return { kind: 'put', movie };
  });
  return [...changed, ...removed, ...created, change(sharedFilm(movies), device, device === 'phone' ? 2 : 9)];
}

/** What a program that knows nothing of sync does through the official SDK. */
export function thirdPartyEdits(movies: readonly Movie[]): {
  readonly created: readonly Movie[];
  readonly replaced: Movie;
  readonly deleted: Movie;
} {
  const untouched = inScope(movies).filter((_, index) => index % 20 === 7);
  const [replaced, deleted] = untouched as [Movie, Movie];
  const created = [0, 1, 2].map((index): Movie => ({ ...replaced, id: `partner-${index}`, title: `From the partner ${index}` }));
  return { created, replaced: { ...replaced, title: `${replaced.title} (director's cut)`, rating: 10 }, deleted };
}
