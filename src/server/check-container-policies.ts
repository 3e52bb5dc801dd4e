import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

/** Limits of unique keys. @see https://learn.microsoft.com/azure/cosmos-db/unique-keys */
const MAX_UNIQUE_KEYS = 10;
const MAX_UNIQUE_KEY_PATHS = 16;
/** Times to live are 32-bit integers. */
const MAX_SECONDS = 2147483647;

function invalid(message: string): PerigeeError {
  return new PerigeeError('INVALID_CONTAINER', message);
}

function objectOf(body: JsonObject, member: string): JsonObject | undefined {
  const value = body[member];
  if (value !== undefined && value !== null && !isJsonObject(value)) {
    throw invalid(`The member ${member} is an object.`);
  }
  return isJsonObject(value) ? value : undefined;
}

function checkWord(policy: JsonObject | undefined, member: string, words: readonly string[], what: string): void {
  const value = policy?.[member];
  if (value !== undefined && !(typeof value === 'string' && words.some((word) => word.toLowerCase() === value.toLowerCase()))) {
    throw invalid(`The ${member} of the ${what} is one of ${words.join(', ')}.`);
  }
}

/** The policy is the client's own but for two rules: it is a list of paths, and a path is encrypted in one way. */
function checkEncryptionPolicy(body: JsonObject): void {
  const policy = objectOf(body, 'clientEncryptionPolicy');
  if (policy === undefined) {
    return;
  }
  const included = policy['includedPaths'];
  if (!Array.isArray(included) || !included.every((entry: JsonValue) => isJsonObject(entry) && typeof entry['path'] === 'string')) {
    throw invalid('The clientEncryptionPolicy has a list includedPaths of objects with a path.');
  }
  const paths = included.map((entry) => (entry as JsonObject)['path']);
  if (new Set(paths).size !== paths.length) {
    throw invalid('The clientEncryptionPolicy includes a path more than once.');
  }
}

function checkPartitionKeyKind(body: JsonObject): void {
  const key = body['partitionKey'];
  if (!isJsonObject(key)) {
    return;
  }
  checkWord(key, 'kind', ['Hash', 'MultiHash', 'Range'], 'partition key');
  const { kind, paths, version } = key;
  const isMultiHash = kind === 'MultiHash';
  if (typeof kind === 'string' && !isMultiHash && Array.isArray(paths) && paths.length > 1) {
    throw invalid(`Too many partition key paths for the kind ${kind}: several paths are of the kind MultiHash.`);
  }
  if (isMultiHash && version === 1) {
    throw invalid('A partition key of the kind MultiHash is of version 2.');
  }
}

/** There is no analytical store, but what is asked of one is kept, and is refused where the service would. */
function checkAnalyticalTtl({ analyticalStorageTtl: seconds }: JsonObject): void {
  const isLife = typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= -1 && seconds <= MAX_SECONDS;
  if (seconds !== undefined && seconds !== null && !isLife) {
    throw invalid('The analyticalStorageTtl is a whole number of seconds, -1 for ever, or 0 or null for no analytical store.');
  }
}

/** Checks what a container's body says beside what the backend checks of its definition. @throws INVALID_CONTAINER */
export function checkContainerPolicies(body: JsonObject): void {
  checkPartitionKeyKind(body);
  checkWord(objectOf(body, 'conflictResolutionPolicy'), 'mode', ['LastWriterWins', 'Custom'], 'conflictResolutionPolicy');
  checkWord(objectOf(body, 'geospatialConfig'), 'type', ['Geography', 'Geometry'], 'geospatialConfig');
  checkEncryptionPolicy(body);
  checkAnalyticalTtl(body);
}

/** @throws INVALID_CONTAINER for more unique keys, or more paths of one, than a container may have, and for a path twice */
export function checkUniqueKeys(keys: readonly (readonly string[])[]): void {
  if (keys.length > MAX_UNIQUE_KEYS) {
    throw invalid(`A container has at most ${MAX_UNIQUE_KEYS} unique keys.`);
  }
  for (const paths of keys) {
    if (paths.length > MAX_UNIQUE_KEY_PATHS || new Set(paths).size !== paths.length) {
      throw invalid(`A unique key has at most ${MAX_UNIQUE_KEY_PATHS} paths, each once.`);
    }
  }
}
