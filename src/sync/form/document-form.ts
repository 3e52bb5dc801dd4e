import type { JsonObject } from '../../core/json.ts';
import type { SchemaVersions } from './schema-versions.ts';

/** What the documents of a container are on the device, beside what the remote holds of them. Pure but for what it tells. */
export interface DocumentForm {
  readonly schema: SchemaVersions | undefined;
  /** Whether documents may have fields that never leave the device. */
  readonly hasLocalFields: boolean;
  /** Told of a document that could not be migrated. */
  readonly onFailed: (id: string) => void;
  /** A condition on remote documents `c` which are received as they are, so that the digest of their stamp is that of what the device holds. */
  readonly sameCondition: string;

  /** Properties that are local fields or hold some. */
  readonly localProperties: readonly string[];

  /** @throws INVALID_OPTION where a local field, or the version, covers one of some paths that are needed as they are */
  checkShared(container: string, paths: readonly string[]): void;

  /** Whether a document has the version that the program knows. Of others no policy can judge. */
  knows(document: JsonObject): boolean;

  /** Whether a document has an older version. */
  isOlder(document: JsonObject): boolean;

  /** A stored document as others see it: what is sent, compared and shown to policies. The same object where nothing is left out. */
  shared(stored: JsonObject): JsonObject;

  /** {@link shared} of a text. */
  sharedText(stored: string): string;

  /**
   * A document from elsewhere (the remote, the journal, another version of the program) as the program sees it: without local fields, in its version. The same object where nothing changes. One that
   * is newer, or that a migration fails for, keeps its version.
   */
  received(document: JsonObject): JsonObject;

  /** A shared document with what the device's own version has for itself. */
  carried(shared: JsonObject, own: JsonObject | undefined): JsonObject;
}

/** Documents that are on the device what they are at the remote. */
export const PLAIN_FORM: DocumentForm = {
  schema: undefined,
  hasLocalFields: false,
  localProperties: [],
  onFailed: () => undefined,
  sameCondition: '',
  checkShared: () => undefined,
  knows: () => true,
  isOlder: () => false,
  shared: (stored) => stored,
  sharedText: (stored) => stored,
  received: (document) => document,
  carried: (shared) => shared,
};
