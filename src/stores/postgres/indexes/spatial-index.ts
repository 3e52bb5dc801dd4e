import { GEOMETRY_BOX } from './geometry-box.ts';
import { FunctionIndexKind } from './path-index.ts';

/** Indexes over where geometries lie: boxes, which PostgreSQL has without an extension. */
export const SPATIAL: FunctionIndexKind = new FunctionIndexKind('spatial', { function: GEOMETRY_BOX, access: 'gist', label: 'spatial' });
