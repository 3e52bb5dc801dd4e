import { isPerigeeError } from '../../core/errors.ts';
import { indexKey, type IndexColumn } from '../../query/access/index-definition.ts';
import { parseIndexPolicy, type IndexPolicy } from '../../query/index-policy/index-policy.ts';
import { ARRAY_STEP } from '../../query/index-policy/policy-path.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';

/** An index that a container should have. */
export interface WantedIndex {
  readonly kind: string;
  readonly key: string;
  /** How its content is made; the catalogue's index of another form is made anew. */
  readonly form: string;
}

/** The form of an index of some columns; undefined where the engine can have none. */
export type FormOf = (columns: readonly IndexColumn[]) => string | undefined;

/**
 * The arrays whose elements a policy has in an index, or properties of these: the path up to the first `[]` of each explicit path that has just one
 * (`/tags/[]/?`, `/items/[]/sku/?`).
 */
export function indexedArraysOf(policy: IndexPolicy, definition: ContainerDefinition): readonly (readonly string[])[] {
  const computed = new Set(definition.computedProperties.map(({ name }) => name));
  const arrays = new Map<string, readonly string[]>();
  for (const { ending, segments, tuple } of policy.included) {
    const place = segments.indexOf(ARRAY_STEP);
    const path = segments.slice(0, place);
    const isOne = place > 0 && segments.lastIndexOf(ARRAY_STEP) === place;
    if (ending === '?' && tuple === undefined && isOne && !computed.has(path[0] as string)) {
      arrays.set(JSON.stringify(path), path);
    }
  }
  return [...arrays.values()].slice(0, MAX_POLICY_INDEXES);
}

/** Paths without those that lead into arrays and those of computed properties, which hide what is stored under their names; each once. */
function indexedPathsOf(
  of: readonly { readonly path: readonly string[] }[],
  definition: ContainerDefinition,
): readonly (readonly string[])[] {
  const computed = new Set(definition.computedProperties.map(({ name }) => name));
  const paths = of
    .map(({ path }) => path)
    .filter((path) => path.length > 0 && !path.includes(ARRAY_STEP) && !computed.has(path[0] as string));
  return [...new Map(paths.map((path) => [JSON.stringify(path), path])).values()];
}

/** The paths at which a policy has texts in an index: those of `fullTextIndexes`. */
export function indexedTextsOf({ fullText }: IndexPolicy, definition: ContainerDefinition): readonly (readonly string[])[] {
  return indexedPathsOf(fullText, definition);
}

/** The paths at which a policy has geometries in an index: those of `spatialIndexes`. */
export function indexedPlacesOf({ spatial }: IndexPolicy, definition: ContainerDefinition): readonly (readonly string[])[] {
  return indexedPathsOf(spatial, definition);
}

/** A policy may list 1,500 paths, but each index costs every write; the first ones are made. */
export const MAX_POLICY_INDEXES = 64;

/** The policy of a container; undefined where it asks for no index, and for one of an early version that is not well formed. */
export function policyOf(definition: ContainerDefinition): IndexPolicy | undefined {
  try {
    const policy = parseIndexPolicy(definition.indexingPolicy);
    return policy.mode === 'none' ? undefined : policy;
  } catch (error) {
    if (isPerigeeError(error, 'INVALID_CONTAINER')) {
      return undefined;
    }
    throw error;
  }
}

/** Whether columns can be an index of a container: a computed property hides what is stored under its name. */
export function canIndex(columns: readonly IndexColumn[], definition: ContainerDefinition, formOf: FormOf): boolean {
  const computed = new Set(definition.computedProperties.map(({ name }) => name));
  return columns.every(({ path }) => !computed.has(path[0] as string)) && formOf(columns) !== undefined;
}

/** The range index of some columns. */
export function rangeIndexOf(columns: readonly IndexColumn[], formOf: FormOf): WantedIndex {
  return { kind: 'range', key: indexKey(columns), form: formOf(columns) as string };
}

function columnsOf(policy: IndexPolicy): readonly (readonly IndexColumn[])[] {
  const explicit = policy.included
    .filter(({ ending, segments, tuple }) => ending === '?' && tuple === undefined && !segments.includes(ARRAY_STEP))
    .map(({ segments }): readonly IndexColumn[] => [{ path: segments, descending: false }]);
  return [...explicit, ...policy.composites];
}

/**
 * The range indexes that a policy asks for: one for each explicit path (`/a/b/?`), one for each composite index. Elements of arrays
 * (`/tags/[]/?`) get none, since such an index has one entry a document ({@link indexedArraysOf}), and neither do computed properties.
 */
export function wantedRangeIndexesOf(policy: IndexPolicy, definition: ContainerDefinition, formOf: FormOf): readonly WantedIndex[] {
  const wanted = new Map<string, WantedIndex>();
  for (const columns of columnsOf(policy)) {
    if (wanted.size < MAX_POLICY_INDEXES && canIndex(columns, definition, formOf)) {
      const index = rangeIndexOf(columns, formOf);
      wanted.set(index.key, index);
    }
  }
  return [...wanted.values()];
}
