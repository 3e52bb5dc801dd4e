import { PerigeeError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';

const DATA_TYPES: readonly string[] = ['float32', 'float16', 'int8', 'uint8'];
const DISTANCE_FUNCTIONS: readonly string[] = ['cosine', 'dotproduct', 'euclidean'];
const INDEX_TYPES: readonly string[] = ['flat', 'quantizedflat', 'diskann'];
const MAX_DIMENSIONS = 4096;
/** A flat index keeps whole vectors. @see https://learn.microsoft.com/azure/cosmos-db/nosql/vector-search */
const MAX_FLAT_DIMENSIONS = 505;

/** What texts are in. @see https://learn.microsoft.com/azure/cosmos-db/gen-ai/full-text-search */
const LANGUAGES: readonly string[] = ['de-DE', 'en-US', 'es-ES', 'fr-FR', 'it-IT', 'pt-BR', 'pt-PT'];
/** The same by their numbers in Windows, which the service takes as well: its SDK's tests name English so. */
const LANGUAGE_NUMBERS: readonly string[] = ['1031', '1033', '3082', '1036', '1040', '1046', '2070'];

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_CONTAINER', message);
}

/** The list of objects at a member of a policy; empty where there is none. */
function entries(policy: JsonValue | undefined, member: string): readonly JsonObject[] {
  if (policy === undefined || policy === null) {
    return [];
  }
  const list = isJsonObject(policy) ? (policy[member] ?? []) : undefined;
  if (!Array.isArray(list) || !list.every(isJsonObject)) {
    throw invalid(`The member ${member} of a policy is a list of objects.`);
  }
  return list as readonly JsonObject[];
}

function pathOf(entry: JsonObject, what: string): string {
  const path = entry['path'];
  if (typeof path !== 'string' || path.includes('*') || path.includes('[')) {
    throw invalid(`Each entry of ${what} has the path of one property, such as "/text".`);
  }
  parsePropertyPath(path);
  return path;
}

function wordOf(value: JsonValue | undefined, words: readonly string[]): boolean {
  return typeof value === 'string' && words.includes(value.toLowerCase());
}

function checkDistinct(paths: readonly string[], what: string): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw invalid(`The path ${twice} stands in ${what} more than once.`);
  }
}

function checkEmbedding(embedding: JsonObject): string {
  const path = pathOf(embedding, 'vectorEmbeddings');
  const { dimensions, dataType, distanceFunction } = embedding;
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1) {
    throw invalid(`Vector Embedding Policy has invalid Dimensions:${JSON.stringify(dimensions)}, it should be positive integer.`);
  }
  if (dimensions > MAX_DIMENSIONS) {
    throw invalid(`Vector Embedding Policy has Dimensions:${dimensions} which is more than max:${MAX_DIMENSIONS}.`);
  }
  if (!wordOf(dataType, DATA_TYPES) || !wordOf(distanceFunction, DISTANCE_FUNCTIONS)) {
    throw invalid(
      `The embedding at ${path} has a dataType of float32, float16, int8 or uint8 and a distanceFunction of cosine, dotproduct or euclidean.`,
    );
  }
  return path;
}

/** The name of a path as the service writes it in its message. */
function nameOf(path: string): string {
  return path.replace(/^\//u, '');
}

function checkVectors({ extra, indexingPolicy }: ContainerDefinition): void {
  const embeddings = entries(extra['vectorEmbeddingPolicy'], 'vectorEmbeddings');
  const paths = embeddings.map(checkEmbedding);
  checkDistinct(paths, 'vectorEmbeddings');
  const indexes = entries(indexingPolicy, 'vectorIndexes');
  for (const index of indexes) {
    const path = pathOf(index, 'vectorIndexes');
    const embedding = embeddings[paths.indexOf(path)];
    if (embedding === undefined) {
      throw invalid(`The path of the vector index ${nameOf(path)} not matching in Embedding's path.`);
    }
    if (!wordOf(index['type'], INDEX_TYPES)) {
      throw invalid(`The vector index at ${path} has the type flat, quantizedFlat or diskANN.`);
    }
    if (wordOf(index['type'], ['flat']) && (embedding['dimensions'] as number) > MAX_FLAT_DIMENSIONS) {
      throw invalid(
        `The vector index at ${path} has the type flat, which takes up to ${MAX_FLAT_DIMENSIONS} dimensions. Use quantizedFlat or diskANN.`,
      );
    }
  }
  checkDistinct(
    indexes.map((index) => index['path'] as string),
    'vectorIndexes',
  );
}

/** A policy need not name any: English is what is meant then. */
function checkLanguage(language: JsonValue | undefined): void {
  const isKnown =
    typeof language === 'string' && [...LANGUAGES, ...LANGUAGE_NUMBERS].some((one) => one.toLowerCase() === language.toLowerCase());
  if (language !== undefined && language !== null && !isKnown) {
    throw invalid(
      `The Full Text Policy contains an unsupported language ${typeof language === 'string' ? language : JSON.stringify(language)}. Supported languages are: ${LANGUAGES.join(', ')}.`,
    );
  }
}

function checkTexts({ extra, indexingPolicy }: ContainerDefinition): void {
  const policy = extra['fullTextPolicy'];
  const texts = entries(policy, 'fullTextPaths');
  checkDistinct(
    texts.map((entry) => pathOf(entry, 'fullTextPaths')),
    'fullTextPaths',
  );
  for (const language of [isJsonObject(policy) ? policy['defaultLanguage'] : undefined, ...texts.map((entry) => entry['language'])]) {
    checkLanguage(language);
  }
  for (const index of entries(indexingPolicy, 'fullTextIndexes')) {
    pathOf(index, 'fullTextIndexes');
  }
}

/** Raises INVALID_CONTAINER where the policies of vectors and full text are malformed or do not fit the indexes. */
export function checkSearchPolicies(definition: ContainerDefinition): void {
  checkVectors(definition);
  checkTexts(definition);
}

/** Raises BAD_REQUEST where a new definition changes what is fixed once a container has it: an embedding, the kind of a vector index. */
export function checkSearchReplacement(current: ContainerDefinition, next: ContainerDefinition): void {
  const embeddings = entries(next.extra['vectorEmbeddingPolicy'], 'vectorEmbeddings');
  for (const before of entries(current.extra['vectorEmbeddingPolicy'], 'vectorEmbeddings')) {
    const after = embeddings.find(({ path }) => path === before['path']);
    if (after === undefined || ['dataType', 'dimensions', 'distanceFunction'].some((member) => after[member] !== before[member])) {
      throw new PerigeeError(
        'BAD_REQUEST',
        `The vector embedding at ${String(before['path'] as string)} is fixed at creation. Keep it as it is.`,
      );
    }
  }
  const indexes = entries(next.indexingPolicy, 'vectorIndexes');
  for (const before of entries(current.indexingPolicy, 'vectorIndexes')) {
    const after = indexes.find(({ path }) => path === before['path']);
    if (after !== undefined && after['type'] !== before['type']) {
      throw new PerigeeError(
        'BAD_REQUEST',
        `The vector index at ${String(before['path'] as string)} cannot become one of another type. Keep it, or remove it.`,
      );
    }
  }
}
