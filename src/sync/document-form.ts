import type { JsonObject } from '../core/json.ts';
import { checkNotNeeded } from './declared-fields.ts';
import type { LocalFields } from './local-fields.ts';

/** What the documents of a container are on the device, beside what the remote holds of them. Pure. */
export class DocumentForm {
  readonly #local: LocalFields;

  constructor(local: LocalFields) {
    this.#local = local;
  }

  /** Whether documents may have fields that never leave the device. */
  get hasLocalFields(): boolean {
    return this.#local.paths.length > 0;
  }

  /** @throws INVALID_OPTION where a local field covers one of some paths that others need */
  checkShared(container: string, paths: readonly string[]): void {
    checkNotNeeded(container, this.#local, paths);
  }

  /** A stored document as others see it: what is sent, compared and shown to policies. The same object where nothing is left out. */
  shared(stored: JsonObject): JsonObject {
    return this.#local.shared(stored);
  }

  /** {@link shared} of a text. */
  sharedText(stored: string): string {
    return this.hasLocalFields ? JSON.stringify(this.shared(JSON.parse(stored) as JsonObject)) : stored;
  }

  /** A document of the remote as the program sees it; the same object where nothing changes. */
  received(remote: JsonObject): JsonObject {
    return this.#local.shared(remote);
  }

  /** A shared document with what the device's own version has for itself. */
  carried(shared: JsonObject, own: JsonObject | undefined): JsonObject {
    return own === undefined ? shared : this.#local.carried(shared, own);
  }

  /** A condition on remote documents `c` which are received as they are, so that the digest of their stamp is that of what the device holds. */
  get sameCondition(): string {
    return this.#local.paths.map((path) => ` AND NOT IS_DEFINED(${expressionOf(path)})`).join('');
  }
}

function expressionOf(path: readonly string[]): string {
  return `c${path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
}
