import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import { readDistanceFunction, type DistanceFunction } from '../functions/vector/vector-distance.ts';

/** What a container says of its texts and vectors. */
export interface SearchPolicy {
  /** The language of the text at a path of a document; undefined where the policy has none. */
  languageOf(path: readonly (string | number)[]): string | undefined;
  /** How vectors at a path of a document are compared; undefined where the policy does not say. */
  distanceOf(path: readonly (string | number)[]): DistanceFunction | undefined;
  /** How many numbers a vector at a path of a document has; undefined where the policy does not say. */
  dimensionsOf(path: readonly (string | number)[]): number | undefined;
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A container may be older than the check of its policy, so a path that does not parse is left out. */
function keyOf(path: JsonValue | undefined): string | undefined {
  try {
    return typeof path === 'string' ? JSON.stringify(parsePropertyPath(path)) : undefined;
  } catch {
    return undefined;
  }
}

function byPath<T>(entries: readonly JsonObject[], read: (entry: JsonObject) => T | undefined): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const entry of entries) {
    const key = keyOf(entry['path']);
    const value = read(entry);
    if (key !== undefined && value !== undefined) {
      found.set(key, value);
    }
  }
  return found;
}

function readPolicy(extra: JsonObject): SearchPolicy {
  const texts = isJsonObject(extra['fullTextPolicy']) ? extra['fullTextPolicy'] : {};
  const vectors = isJsonObject(extra['vectorEmbeddingPolicy']) ? extra['vectorEmbeddingPolicy'] : {};
  const language = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
  const byDefault = language(texts['defaultLanguage']);
  const languages = byPath(listOf(texts['fullTextPaths']), (entry) => language(entry['language']));
  const embeddings = listOf(vectors['vectorEmbeddings']);
  const distances = byPath(embeddings, (entry) => readDistanceFunction(entry['distanceFunction']));
  const dimensions = byPath(embeddings, (entry) => (typeof entry['dimensions'] === 'number' ? entry['dimensions'] : undefined));
  return {
    languageOf: (path) => languages.get(JSON.stringify(path)) ?? byDefault,
    distanceOf: (path) => distances.get(JSON.stringify(path)),
    dimensionsOf: (path) => dimensions.get(JSON.stringify(path)),
  };
}

/** The policy of a container without one. */
export const NO_SEARCH_POLICY: SearchPolicy = readPolicy({});

const known = new WeakMap<JsonObject, SearchPolicy>();

/** Reads `fullTextPolicy` and `vectorEmbeddingPolicy` from the further members of a container definition. */
export function searchPolicyOf({ extra }: { readonly extra: JsonObject }): SearchPolicy {
  const policy = known.get(extra) ?? readPolicy(extra);
  known.set(extra, policy);
  return policy;
}
