import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { ARRAY_STEP, parsePlainPath, parsePolicyPath, type PolicyPath } from './policy-path.ts';

/** One property of a composite index. */
export interface CompositePart {
  readonly path: readonly string[];
  readonly descending: boolean;
}

/** A spatial index and the kinds of geometry that it holds, as written: `Point`, `Polygon`, … */
export interface SpatialPath {
  readonly path: readonly string[];
  readonly types: readonly string[];
}

/** A full-text index. */
export interface FullTextPath {
  readonly path: readonly string[];
}

/** A vector index. */
export interface VectorPath {
  readonly path: readonly string[];
  readonly type: 'flat' | 'quantizedFlat' | 'diskANN';
}

/** How a policy treats a path: an index of its own (`/a/?`), a place under some `/*`, or none. */
export type PathIndexing = 'explicit' | 'default' | 'excluded';

/** An index policy, read and checked. */
export interface IndexPolicy {
  /** `lazy` counts as `consistent`. */
  readonly mode: 'consistent' | 'none';
  readonly included: readonly PolicyPath[];
  readonly excluded: readonly PolicyPath[];
  readonly composites: readonly (readonly CompositePart[])[];
  readonly spatial: readonly SpatialPath[];
  readonly fullText: readonly FullTextPath[];
  readonly vector: readonly VectorPath[];
  /**
   * How the scalar at a path is indexed; `[]` is a step to the elements of an array. The most precise path decides: a longer one before a
   * shorter one, `/?` before `/*`. `id` and `_ts` are always indexed, in the mode `consistent`.
   */
  isIndexed(path: readonly string[]): PathIndexing;
}

/** The limits of Cosmos DB on a policy. */
const LIMITS = { paths: 1500, composites: 100, compositeParts: 8 };

const SPATIAL_TYPES: ReadonlySet<string> = new Set(['Point', 'LineString', 'Polygon', 'MultiPolygon']);
const VECTOR_TYPES: ReadonlySet<string> = new Set(['flat', 'quantizedFlat', 'diskANN']);

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_CONTAINER', `Cannot take the index policy: ${message}`);
}

function listOf(value: JsonValue | undefined, member: string): readonly JsonValue[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw invalid(`${member} is a list.`);
  }
  return value as readonly JsonValue[];
}

function objectsOf(value: JsonValue | undefined, member: string): readonly JsonObject[] {
  return listOf(value, member).map((entry) => {
    if (!isJsonObject(entry)) {
      throw invalid(`each entry of ${member} is an object with a path.`);
    }
    return entry;
  });
}

function pathText(entry: JsonObject, member: string): string {
  const path = entry['path'];
  if (typeof path !== 'string') {
    throw invalid(`each entry of ${member} has a path, such as { "path": "/name/?" }.`);
  }
  return path;
}

function readPaths(policy: JsonObject, member: 'includedPaths' | 'excludedPaths'): readonly PolicyPath[] {
  const entries = objectsOf(policy[member], member);
  if (entries.length > LIMITS.paths) {
    throw invalid(`${member} has ${entries.length} paths; at most ${LIMITS.paths} are allowed.`);
  }
  return entries.map((entry) => parsePolicyPath(pathText(entry, member)));
}

function pathKey({ segments, ending, tuple }: PolicyPath): string {
  return JSON.stringify([segments, ending, tuple ?? null]);
}

function checkPaths(included: readonly PolicyPath[], excluded: readonly PolicyPath[]): void {
  const seen = new Set<string>();
  for (const path of [...included, ...excluded]) {
    const key = pathKey(path);
    if (seen.has(key)) {
      throw invalid(`the path ${JSON.stringify(path.text)} is there twice. Keep it in one of includedPaths and excludedPaths, once.`);
    }
    seen.add(key);
  }
  if (![...included, ...excluded].some(({ segments, ending }) => segments.length === 0 && ending === '*')) {
    throw invalid('the path "/*" is in neither includedPaths nor excludedPaths. Put it into one of them.');
  }
}

function readCompositePart(entry: JsonValue): CompositePart {
  if (!isJsonObject(entry)) {
    throw invalid('each part of a composite index is an object with path and order.');
  }
  const text = pathText(entry, 'compositeIndexes');
  const path = parsePlainPath(text);
  if (path.includes(ARRAY_STEP)) {
    throw invalid(`the path ${JSON.stringify(text)} of a composite index leads into an array; only single values can be in one.`);
  }
  const order = entry['order'] ?? 'ascending';
  if (order !== 'ascending' && order !== 'descending') {
    throw invalid(`the order of ${JSON.stringify(text)} in a composite index is ascending or descending.`);
  }
  return { path, descending: order === 'descending' };
}

function readComposites(policy: JsonObject): readonly (readonly CompositePart[])[] {
  const composites = listOf(policy['compositeIndexes'], 'compositeIndexes');
  if (composites.length > LIMITS.composites) {
    throw invalid(`compositeIndexes has ${composites.length} indexes; at most ${LIMITS.composites} are allowed.`);
  }
  return composites.map((composite) => {
    const parts = listOf(composite, 'each entry of compositeIndexes').map(readCompositePart);
    if (parts.length < 2 || parts.length > LIMITS.compositeParts) {
      throw invalid(`a composite index has 2 to ${LIMITS.compositeParts} paths, not ${parts.length}.`);
    }
    if (new Set(parts.map(({ path }) => JSON.stringify(path))).size < parts.length) {
      throw invalid('a composite index names each path once.');
    }
    return parts;
  });
}

function readSpatial(policy: JsonObject): readonly SpatialPath[] {
  return objectsOf(policy['spatialIndexes'], 'spatialIndexes').map((entry) => {
    const text = pathText(entry, 'spatialIndexes');
    const types = listOf(entry['types'], 'types of spatialIndexes');
    for (const type of types) {
      if (typeof type !== 'string' || !SPATIAL_TYPES.has(type)) {
        throw invalid(`the types of the spatial index on ${JSON.stringify(text)} are of ${[...SPATIAL_TYPES].join(', ')}.`);
      }
    }
    const path = /\/[?*]$/u.test(text) ? parsePolicyPath(text).segments : parsePlainPath(text);
    return { path, types: types.length === 0 ? [...SPATIAL_TYPES] : types.filter((type) => typeof type === 'string') };
  });
}

function isVectorType(type: JsonValue | undefined): type is VectorPath['type'] {
  return typeof type === 'string' && VECTOR_TYPES.has(type);
}

function readVector(policy: JsonObject): readonly VectorPath[] {
  return objectsOf(policy['vectorIndexes'], 'vectorIndexes').map((entry) => {
    const text = pathText(entry, 'vectorIndexes');
    const type = entry['type'];
    if (!isVectorType(type)) {
      throw invalid(`the type of the vector index on ${JSON.stringify(text)} is one of ${[...VECTOR_TYPES].join(', ')}.`);
    }
    return { path: parsePlainPath(text), type };
  });
}

function readFullText(policy: JsonObject): readonly FullTextPath[] {
  return objectsOf(policy['fullTextIndexes'], 'fullTextIndexes').map((entry) => ({
    path: parsePlainPath(pathText(entry, 'fullTextIndexes')),
  }));
}

/** A place in the tree of all paths of a policy. */
interface PathNode {
  readonly children: Map<string, PathNode>;
  scalar: 'included' | 'excluded' | undefined;
  subtree: 'included' | 'excluded' | undefined;
}

function newNode(): PathNode {
  return { children: new Map(), scalar: undefined, subtree: undefined };
}

function addPath(root: PathNode, segments: readonly string[], ending: '?' | '*', kind: 'included' | 'excluded'): void {
  let node = root;
  for (const segment of segments) {
    const child = node.children.get(segment) ?? newNode();
    node.children.set(segment, child);
    node = child;
  }
  if (ending === '?') {
    node.scalar = kind;
  } else {
    node.subtree = kind;
  }
}

function buildTree(included: readonly PolicyPath[], excluded: readonly PolicyPath[]): PathNode {
  const root = newNode();
  const add = (paths: readonly PolicyPath[], kind: 'included' | 'excluded'): void => {
    for (const { segments, ending, tuple } of paths) {
      for (const member of tuple ?? [[]]) {
        addPath(root, [...segments, ...member], ending, kind);
      }
    }
  };
  add(included, 'included');
  add(excluded, 'excluded');
  return root;
}

function isAlwaysIndexed(path: readonly string[]): boolean {
  return path.length === 1 && (path[0] === 'id' || path[0] === '_ts');
}

function lookUp(root: PathNode, path: readonly string[]): PathIndexing {
  let node: PathNode | undefined = root;
  let subtree = root.subtree;
  for (const segment of path) {
    node = node.children.get(segment);
    if (node === undefined) {
      break;
    }
    subtree = node.subtree ?? subtree;
  }
  if (node?.scalar === 'included') {
    return 'explicit';
  }
  const kind = node?.scalar ?? subtree;
  return kind === 'included' || isAlwaysIndexed(path) ? 'default' : 'excluded';
}

/**
 * Reads and checks an index policy in the form of Cosmos DB.
 *
 * The rules and limits are those of "Indexing policies in Azure Cosmos DB": `/*` is in included or excluded paths, paths end in `/?` or `/*`,
 * composite indexes have 2 to 8 paths. Members that it does not know are left alone.
 *
 * @throws INVALID_CONTAINER naming the path that cannot be taken
 */
export function parseIndexPolicy(policy: JsonObject): IndexPolicy {
  const mode = policy['indexingMode'] === 'none' ? 'none' : 'consistent';
  const included = readPaths(policy, 'includedPaths');
  const excluded = readPaths(policy, 'excludedPaths');
  if (mode === 'consistent') {
    checkPaths(included, excluded);
  }
  const root = buildTree(included, excluded);
  return {
    mode,
    included,
    excluded,
    composites: readComposites(policy),
    spatial: readSpatial(policy),
    fullText: readFullText(policy),
    vector: readVector(policy),
    isIndexed: (path) => (mode === 'none' ? 'excluded' : lookUp(root, path)),
  };
}
