import type { JsonObject } from '../../core/json.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import type { FilledOptions } from '../filled-options.ts';
import { LATE } from '../late-parts.ts';
import { loadPart } from '../load-part.ts';
import type { Scope } from '../state/scope.ts';

/** The remote stores of an engine's containers. */
export class RemoteStores {
  readonly #options: FilledOptions;
  readonly #scopes: readonly Scope[];
  readonly #warn: (warning: string) => void;
  readonly #open = new Map<string, Promise<DocumentStore<JsonObject>>>();

  /** @param scopes may grow until the first remote is asked for by {@link matched} */
  constructor(options: FilledOptions, scopes: readonly Scope[], warn: (warning: string) => void) {
    this.#options = options;
    this.#scopes = scopes;
    this.#warn = warn;
  }

  /** Opens a remote store; once per container, again after it failed. */
  open(container: string): Promise<DocumentStore<JsonObject>> {
    const known = this.#open.get(container);
    if (known !== undefined) {
      return known;
    }
    const opening = (async () => this.#options.remote(container))();
    this.#open.set(container, opening);
    opening.catch(() => this.#open.delete(container));
    return opening;
  }

  /** The remote store of a container, compared with the local one. @throws what opening it throws, INVALID_CONTAINER */
  async matched(container: string): Promise<DocumentStore<JsonObject>> {
    const store = await this.open(container);
    const { backend, database } = this.#options;
    const { definition } = store;
    this.#checkUnique(container, definition.uniqueKeys.flat());
    const { matchRemote } = await loadPart(LATE.matching);
    for (const warning of await matchRemote(backend, database, container, definition)) {
      this.#warn(warning);
    }
    for (const scope of this.#scopes) {
      scope.defaultTtl = scope.container === container ? definition.defaultTtl : scope.defaultTtl;
    }
    return store;
  }

  #checkUnique(container: string, paths: readonly string[]): void {
    const scope = this.#scopes.find((one) => one.container === container);
    scope?.form.checkShared(container, paths);
  }

  /** Lets every store be opened anew. */
  forget(): void {
    this.#open.clear();
  }
}
