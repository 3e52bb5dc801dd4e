import { fullTextKind } from './full-text-index.ts';
import type { MaintainedIndexKind } from './maintained-index.ts';
import { spatialKind } from './spatial-index.ts';

/** The kinds of index that are kept by programs, beside the range indexes that SQLite keeps itself. */
export const MAINTAINED_KINDS: readonly MaintainedIndexKind[] = [fullTextKind, spatialKind];
