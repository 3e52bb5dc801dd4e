import type { JsonObject } from '../../core/json.ts';
import { parsePropertyPath } from '../../store/partition-key.ts';
import { checkNotNeeded } from './declared-fields.ts';
import type { DocumentForm } from './document-form.ts';
import type { LocalFields } from './local-fields.ts';
import type { SchemaVersions } from './schema-versions.ts';

/** What a {@link SpecialForm} is made of. */
export interface SpecialFormParts {
  readonly local: LocalFields;
  readonly schema: SchemaVersions | undefined;
  readonly onFailed: (id: string) => void;
}

/** The form of documents with local fields, or with versions. */
export class SpecialForm implements DocumentForm {
  readonly schema: SchemaVersions | undefined;
  readonly onFailed: (id: string) => void;
  readonly #local: LocalFields;

  constructor({ local, schema, onFailed }: SpecialFormParts) {
    this.#local = local;
    this.schema = schema;
    this.onFailed = onFailed;
  }

  get hasLocalFields(): boolean {
    return this.#local.paths.length > 0;
  }

  get localProperties(): readonly string[] {
    return Array.from(new Set(this.#local.paths.map(([name]) => name as string)));
  }

  checkShared(container: string, paths: readonly string[]): void {
    const within = `of the container ${JSON.stringify(container)}`;
    const version = this.schema === undefined ? [] : [this.schema.path];
    const needed = paths.map(parsePropertyPath);
    checkNotNeeded(`The version ${within} at`, version, needed);
    checkNotNeeded(`The local field ${within}`, this.#local.paths, [...needed, ...version]);
  }

  knows(document: JsonObject): boolean {
    return this.schema === undefined || this.schema.versionOf(document) === this.schema.version;
  }

  isOlder(document: JsonObject): boolean {
    const version = this.schema?.versionOf(document);
    return version !== undefined && version < (this.schema as SchemaVersions).version;
  }

  shared(stored: JsonObject): JsonObject {
    return this.#local.shared(stored);
  }

  sharedText(stored: string): string {
    return this.hasLocalFields ? JSON.stringify(this.shared(JSON.parse(stored) as JsonObject)) : stored;
  }

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

  carried(shared: JsonObject, own: JsonObject | undefined): JsonObject {
    return own === undefined ? shared : this.#local.carried(shared, own);
  }

  get sameCondition(): string {
    const absent = this.#local.paths.map((path) => `NOT IS_DEFINED(c${path.map((name) => `[${JSON.stringify(name)}]`).join('')})`);
    return [...absent, ...(this.schema === undefined ? [] : [this.schema.knownCondition])].map((one) => ` AND ${one}`).join('');
  }
}
