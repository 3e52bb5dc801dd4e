import type { JsonObject } from '../core/json.ts';
import { parsePropertyPath } from '../store/partition-key.ts';
import { checkNotNeeded } from './declared-fields.ts';
import type { LocalFields } from './local-fields.ts';
import type { SchemaVersions } from './schema-versions.ts';

/** What a {@link DocumentForm} is made of. */
export interface DocumentFormParts {
  readonly local: LocalFields;
  readonly schema: SchemaVersions | undefined;
  /** Told of a document that could not be migrated. */
  readonly onFailed: (id: string) => void;
}

/** What the documents of a container are on the device, beside what the remote holds of them. Pure but for what it tells. */
export class DocumentForm {
  readonly schema: SchemaVersions | undefined;
  /** As given. */
  readonly onFailed: (id: string) => void;
  readonly #local: LocalFields;

  constructor({ local, schema, onFailed }: DocumentFormParts) {
    this.#local = local;
    this.schema = schema;
    this.onFailed = onFailed;
  }

  /** Whether documents may have fields that never leave the device. */
  get hasLocalFields(): boolean {
    return this.#local.paths.length > 0;
  }

  /** Properties that are local fields or hold some. */
  get localProperties(): readonly string[] {
    return Array.from(new Set(this.#local.paths.map(([name]) => name as string)));
  }

  /** @throws INVALID_OPTION where a local field, or the version, covers one of some paths that are needed as they are */
  checkShared(container: string, paths: readonly string[]): void {
    const within = `of the container ${JSON.stringify(container)}`;
    const version = this.schema === undefined ? [] : [this.schema.path];
    const needed = paths.map(parsePropertyPath);
    checkNotNeeded(`The version ${within} at`, version, needed);
    checkNotNeeded(`The local field ${within}`, this.#local.paths, [...needed, ...version]);
  }

  /** Whether a document has the version that the program knows. Of others no policy can judge. */
  knows(document: JsonObject): boolean {
    return this.schema === undefined || this.schema.versionOf(document) === this.schema.version;
  }

  /** Whether a document has an older version. */
  isOlder(document: JsonObject): boolean {
    const version = this.schema?.versionOf(document);
    return version !== undefined && version < (this.schema as SchemaVersions).version;
  }

  /** A stored document as others see it: what is sent, compared and shown to policies. The same object where nothing is left out. */
  shared(stored: JsonObject): JsonObject {
    return this.#local.shared(stored);
  }

  /** {@link shared} of a text. */
  sharedText(stored: string): string {
    return this.hasLocalFields ? JSON.stringify(this.shared(JSON.parse(stored) as JsonObject)) : stored;
  }

  /**
   * A document from elsewhere (the remote, the journal, another version of the program) as the program sees it: without local fields, in its version. The same object where nothing changes. One that
   * is newer, or that a migration fails for, keeps its version.
   */
  received(document: JsonObject): JsonObject {
    const shared = this.#local.shared(document);
    if (!this.isOlder(shared)) {
      return shared;
    }
    try {
      return this.#local.shared((this.schema as SchemaVersions).migrated(shared));
    } catch {
      // Why is the application's own business, and may say what is in the document.
      this.onFailed(shared['id'] as string);
      return shared;
    }
  }

  /** A shared document with what the device's own version has for itself. */
  carried(shared: JsonObject, own: JsonObject | undefined): JsonObject {
    return own === undefined ? shared : this.#local.carried(shared, own);
  }

  /** A condition on remote documents `c` which are received as they are, so that the digest of their stamp is that of what the device holds. */
  get sameCondition(): string {
    const absent = this.#local.paths.map((path) => `NOT IS_DEFINED(c${path.map((name) => `[${JSON.stringify(name)}]`).join('')})`);
    return [...absent, ...(this.schema === undefined ? [] : [this.schema.knownCondition])].map((one) => ` AND ${one}`).join('');
  }
}
