import { PerigeeError } from '../../core/errors.ts';
import { equalValues } from '../../core/json-order.ts';
import { cloneJson, getOwn, isJsonObject, setOwn, type JsonObject } from '../../core/json.ts';
import { parsePropertyPath, valueAtPath } from '../../store/partition-key.ts';
import { prepareDocument } from '../../store/prepared-document.ts';
import { RESERVED_PROPERTY } from '../remote/wire-stamp.ts';

/** Makes a document of the version before into one of the next; pure, so that every device makes the same. */
export type SchemaMigration = (document: JsonObject) => JsonObject;

/** Versions of a container's documents, and how an older one becomes a newer one. */
export interface SchemaOptions {
  /** The version that this program knows and writes: a whole number. */
  readonly version: number;
  /** Path of the property that holds a document's version; `/schemaVersion` unless said otherwise. */
  readonly path?: string | undefined;
  /** Version of a document without the property; 1 unless said otherwise. */
  readonly initialVersion?: number | undefined;
  /**
   * By the version that it makes: the function for 3 gets a document of version 2. One for each version behind the initial one. Gets a copy without local fields, which it may change, keeps id,
   * partition key, `ttl` and the value of a type filter, and need not set the version.
   */
  readonly migrate?: Readonly<Record<number, SchemaMigration>> | undefined;
}

/** What decides where a document is. */
export interface KeptPaths {
  /** Partition key paths, parsed. */
  readonly key: readonly (readonly string[])[];
  /** Paths of type filters. */
  readonly types: readonly string[];
}

export const SCHEMA_PATH = '/schemaVersion';
export const INITIAL_VERSION = 1;

/** The versions of one container. Pure. */
export class SchemaVersions {
  readonly version: number;
  readonly path: readonly string[];
  readonly #initial: number;
  readonly #migrations: readonly SchemaMigration[];
  readonly #keptPaths: KeptPaths;

  constructor(options: SchemaOptions, keptPaths: KeptPaths) {
    this.version = options.version;
    this.#initial = options.initialVersion ?? INITIAL_VERSION;
    this.path = parsePropertyPath(options.path ?? SCHEMA_PATH);
    this.#keptPaths = { key: keptPaths.key, types: keptPaths.types };
    this.#migrations = Array.from(
      { length: this.version - this.#initial },
      (_, index) => options.migrate?.[this.#initial + index + 1] as SchemaMigration,
    );
  }

  /** The version of a document; `undefined` where what stands there is none. */
  versionOf(document: JsonObject): number | undefined {
    const value = valueAtPath(document, this.path);
    return value === undefined ? this.#initial : typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
  }

  /** A document of an older version in that of the program. @throws what a migration throws; INVALID_DOCUMENT for what cannot be the same document */
  migrated(document: JsonObject): JsonObject {
    const from = this.versionOf(document);
    if (from === undefined || from < this.#initial) {
      throw new PerigeeError('INVALID_DOCUMENT', 'The document has a version that nothing migrates.');
    }
    let result = cloneJson(document);
    for (const migrate of this.#migrations.slice(from - this.#initial)) {
      result = migrate(result);
    }
    if (!isJsonObject(result)) {
      throw new PerigeeError('INVALID_DOCUMENT', 'A migration gave no document.');
    }
    // As it will be stored: nothing that JSON leaves out, nothing that the function still holds.
    const plain = JSON.parse(prepareDocument(withVersion(result, this.path, this.version), this.#keptPaths.key).text) as JsonObject;
    const kept = [['id'], ['ttl'], ...this.#keptPaths.key, ...this.#keptPaths.types.map(parsePropertyPath)];
    if (
      kept.some((path) => !equalValues(valueAtPath(plain, path), valueAtPath(document, path))) ||
      getOwn(plain, RESERVED_PROPERTY) !== undefined
    ) {
      throw new PerigeeError('INVALID_DOCUMENT', 'A migration changed the id, the partition key, the time to live or the type.');
    }
    return plain;
  }

  /** A condition on documents `c` of the version that the program knows or of a newer one. */
  get knownCondition(): string {
    const property = `c${this.path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
    const isKnown = `(IS_NUMBER(${property}) AND ${property} >= ${this.version})`;
    return this.version === this.#initial ? `(NOT IS_DEFINED(${property}) OR ${isKnown})` : isKnown;
  }
}

function withVersion(document: JsonObject, path: readonly string[], version: number): JsonObject {
  const [name, ...rest] = path as readonly [string, ...string[]];
  const inner = getOwn(document, name);
  const copy = {};
  for (const key of Object.keys(document)) {
    setOwn(copy, key, document[key]);
  }
  setOwn(copy, name, rest.length === 0 ? version : withVersion(isJsonObject(inner) ? inner : {}, rest, version));
  return copy;
}
