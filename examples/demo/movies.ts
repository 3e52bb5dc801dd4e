import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A film as the demo stores it: partitioned by the studio that distributes it. */
export interface Movie {
  readonly id: string;
  readonly studio: string;
  readonly title: string;
  readonly year: number | null;
  readonly genre: string | null;
  readonly director: string | null;
  readonly rating: number | null;
  readonly votes: number | null;
  readonly gross: number | null;
  readonly note?: string | undefined;
}

type Row = Readonly<Record<string, string | number | null>>;

const number = (value: string | number | null | undefined): number | null => (typeof value === 'number' ? value : null);
const text = (value: string | number | null | undefined): string | null => (value === null || value === undefined ? null : String(value));

/** The films of the npm package `vega-datasets` (BSD-3-Clause), whose data set has known gaps and errors, as real data does. */
export function loadMovies(): Movie[] {
  const path = fileURLToPath(new URL('../../node_modules/vega-datasets/data/movies.json', import.meta.url));
  return (JSON.parse(readFileSync(path, 'utf8')) as Row[]).map((row, index) => ({
    id: `film-${String(index).padStart(4, '0')}`,
    studio: text(row['Distributor']) ?? 'unknown',
    title: text(row['Title']) ?? 'untitled',
    year: Number(/\d{4}$/u.exec(String(row['Release Date']))?.[0] ?? Number.NaN) || null,
    genre: text(row['Major Genre']),
    director: text(row['Director']),
    rating: number(row['IMDB Rating']),
    votes: number(row['IMDB Votes']),
    gross: number(row['Worldwide Gross']),
  }));
}
