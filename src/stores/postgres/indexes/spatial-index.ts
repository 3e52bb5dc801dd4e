import { pathText } from '../../../query/access/index-definition.ts';
import { storedPathExpression } from '../../../query/compile/postgres/path-expression.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import { indexedPlacesOf, type WantedIndex } from '../../common/wanted-indexes.ts';
import { GEOMETRY_BOX } from './geometry-box.ts';

/** Name of the kind in the catalogue. */
export const SPATIAL = 'spatial';

/** An index over where geometries lie: GiST, whose `box` PostgreSQL has without an extension. */
export interface SpatialIndex {
  /** Its name in the schema of the table. */
  readonly name: string;
  /** The path of the geometries. */
  readonly path: readonly string[];
}

/** The expression that is indexed, behind the name of the schema with the function; undefined for a path that PostgreSQL cannot be told. */
function boxExpression(path: readonly string[]): string | undefined {
  const expression = storedPathExpression(path);
  return expression === undefined ? undefined : `${GEOMETRY_BOX}(${expression})`;
}

/** The expression that is indexed, which every statement has to hold that is to use the index. */
export function spatialExpression(s: string, path: readonly string[]): string {
  return `${s}.${boxExpression(path) as string}`;
}

/** What stands behind the name of the table in CREATE INDEX, of the form in the catalogue. */
export function spatialMethod(s: string, form: string): string {
  return `USING gist (${s}.${form})`;
}

/** {@link spatialMethod} of the index over a path. */
export function spatialPathMethod(s: string, path: readonly string[]): string {
  return spatialMethod(s, boxExpression(path) as string);
}

/** The indexes over geometries that a policy asks for. */
export function wantedSpatialIndexes(policy: IndexPolicy, definition: ContainerDefinition): readonly WantedIndex[] {
  return indexedPlacesOf(policy, definition).flatMap((path) => {
    const form = boxExpression(path);
    return form === undefined ? [] : [{ kind: SPATIAL, key: spatialKey(path), form }];
  });
}

/** The same text exactly for the same path. */
export function spatialKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Reads {@link spatialKey}. */
export function readSpatialKey(key: string): readonly string[] {
  return JSON.parse(key) as readonly string[];
}

/** An index for people: `spatial /place`. */
export function spatialIndexText({ path }: Pick<SpatialIndex, 'path'>): string {
  return `spatial ${pathText(path)}`;
}
