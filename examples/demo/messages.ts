import type { SyncReport } from '../../src/sync/index.ts';
import type { Movie } from './movies.ts';

/** One edit that a device is told to make on its own file. */
export type Edit =
  | { readonly kind: 'put'; readonly movie: Movie }
  | { readonly kind: 'change'; readonly id: string; readonly studio: string; readonly rating: number; readonly note: string }
  | { readonly kind: 'remove'; readonly id: string; readonly studio: string };

/** What the demo asks of a device process. */
export type Request =
  | { readonly ask: 'edit'; readonly edits: readonly Edit[] }
  | { readonly ask: 'sync'; readonly reconcile: boolean }
  | { readonly ask: 'dump' }
  | { readonly ask: 'status' }
  | { readonly ask: 'close' };

/** What a device answers. */
export type Answer =
  | { readonly answer: 'ready'; readonly pending: number }
  | { readonly answer: 'edited'; readonly pending: number }
  | {
      readonly answer: 'synced';
      readonly report: Pick<SyncReport, 'outcome' | 'pushed' | 'pulled' | 'deletedLocally' | 'requests' | 'requestUnits' | 'durationMs'> & {
        readonly conflicts: readonly { readonly id: string; readonly outcome: string }[];
        readonly error: string | undefined;
      };
    }
  | { readonly answer: 'dumped'; readonly movies: readonly Movie[] }
  | { readonly answer: 'status'; readonly pending: number; readonly state: string }
  | { readonly answer: 'closed' };
