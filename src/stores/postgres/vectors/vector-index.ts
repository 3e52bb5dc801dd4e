import { pathText } from '../../../query/access/index-definition.ts';
import { storedPathExpression } from '../../../query/compile/postgres/path-expression.ts';
import type { DistanceFunction } from '../../../query/functions/vector/vector-distance.ts';
import type { IndexPolicy } from '../../../query/index-policy/index-policy.ts';
import { isApproximate } from '../../../query/search/nearest-search.ts';
import { searchPolicyOf } from '../../../query/search/search-policy.ts';
import type { ContainerDefinition } from '../../../store/container-definition.ts';
import type { WantedIndex } from '../../common/wanted-indexes.ts';
import { quoteName } from '../names.ts';
import { hasHalfVectors, type VectorExtension } from './vector-extension.ts';

/** Name of the kind in the catalogue. */
export const VECTOR = 'vector';

/** What a vector index is over. */
export interface VectorKey {
  readonly path: readonly string[];
  readonly dimensions: number;
  readonly distance: DistanceFunction;
}

/** A vector index: a graph of near vectors (HNSW). */
export interface VectorIndex extends VectorKey {
  /** Its name in the schema of the table. */
  readonly name: string;
}

/** A type of vectors of the extension. */
interface VectorType {
  readonly type: 'vector' | 'halfvec';
  /** Digits that a number may have before its point, or it is bounded. Sums of so many squares stay in the range of a 4-byte float, in which the extension adds. */
  readonly digits: number;
}

const WHOLE: VectorType = { type: 'vector', digits: 15 };
const HALF: VectorType = { type: 'halfvec', digits: 4 };
/** What an index takes of each. */
const MOST_DIMENSIONS = { vector: 2000, halfvec: 4000 } as const;

const OPERATORS: Readonly<Record<DistanceFunction, { readonly operator: string; readonly kind: string }>> = {
  cosine: { operator: '<=>', kind: 'cosine' },
  dotproduct: { operator: '<#>', kind: 'ip' },
  euclidean: { operator: '<->', kind: 'l2' },
};

function typeFor(dimensions: number, extension: VectorExtension): VectorType | undefined {
  if (dimensions <= MOST_DIMENSIONS.vector) {
    return WHOLE;
  }
  return dimensions <= MOST_DIMENSIONS.halfvec && hasHalfVectors(extension) ? HALF : undefined;
}

/** A vector index in SQL. The texts stand in the index and in every statement that is to use it. */
export interface VectorTerms {
  /** The vector of a document; NULL where it has none. */
  readonly vector: string;
  /** Whether the index holds it as it is, but for the rounding of its numbers: none of them had to be bounded. */
  readonly isWhole: string;
  /** The type with its dimensions. */
  readonly type: string;
  /** The operator of the distance: the less, the nearer. */
  readonly operator: string;
  /** What stands behind the name of the table in CREATE INDEX. */
  readonly method: string;
  /** From here on no number may lie, of either sign. */
  readonly bound: number;
}

/** The terms of an index; undefined where the extension can have none. `prefix` is the schema of the catalogue. */
export function vectorTerms(
  { path, dimensions, distance }: VectorKey,
  extension: VectorExtension,
  prefix: string,
): VectorTerms | undefined {
  const found = typeFor(dimensions, extension);
  const value = path.length === 0 ? undefined : storedPathExpression(path);
  if (found === undefined || value === undefined) {
    return undefined;
  }
  const s = quoteName(extension.schema);
  const type = `${s}.${found.type}(${dimensions})`;
  const text = `${quoteName(prefix)}.vector_text(${value}, ${dimensions}, ${found.digits})`;
  const vector = `(${text}::${type})`;
  const { operator, kind } = OPERATORS[distance];
  return {
    vector,
    // A bound is shorter than what gives way to it.
    isWhole: `length(${text}) = length(${value}::text)`,
    type,
    operator: `OPERATOR(${s}.${operator})`,
    method: `USING hnsw (${vector} ${s}.${found.type}_${kind}_ops)`,
    bound: 10 ** found.digits,
  };
}

/** The same text exactly for the same vectors. */
export function vectorKey({ path, dimensions, distance }: VectorKey): string {
  return JSON.stringify([path, dimensions, distance]);
}

/** Reads {@link vectorKey}. */
export function readVectorKey(key: string): VectorKey {
  const [path, dimensions, distance] = JSON.parse(key) as [readonly string[], number, DistanceFunction];
  return { path, dimensions, distance };
}

/** An index for people: `/embedding`. */
export function vectorText({ path }: Pick<VectorKey, 'path'>): string {
  return pathText(path);
}

/** The vector indexes that a policy asks for and the extension can have. One of the type `flat` is exact, which a graph is not, so it gets none. */
export function wantedVectorIndexes(
  policy: IndexPolicy,
  definition: ContainerDefinition,
  extension: VectorExtension | undefined,
  prefix: string,
): readonly WantedIndex[] {
  const computed = new Set(definition.computedProperties.map(({ name }) => name));
  const search = searchPolicyOf(definition);
  return policy.vector.flatMap(({ path, type }) => {
    const dimensions = search.dimensionsOf(path);
    const distance = search.distanceOf(path);
    if (
      extension === undefined ||
      !isApproximate(type) ||
      dimensions === undefined ||
      distance === undefined ||
      computed.has(path[0] as string)
    ) {
      return [];
    }
    const key = { path, dimensions, distance };
    const terms = vectorTerms(key, extension, prefix);
    return terms === undefined ? [] : [{ kind: VECTOR, key: vectorKey(key), form: terms.method }];
  });
}

/** Whether a policy names vector indexes at all. */
export function namesVectorIndexes({ indexingPolicy }: ContainerDefinition): boolean {
  const { vectorIndexes } = indexingPolicy;
  return Array.isArray(vectorIndexes) && vectorIndexes.length > 0;
}
