import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import { ResidentDocumentStore } from '../common/resident-document-store.ts';
import type { FileContainer } from './file-container.ts';

/** One container of a {@link FileBackend}. */
export class FileDocumentStore<T extends object = JsonObject> extends ResidentDocumentStore<T> {
  readonly #container: FileContainer;

  /** @internal */
  constructor(container: FileContainer, runtime: Runtime, schema: StandardSchemaLike | undefined, capabilities: StoreCapabilities) {
    super(container.resident, runtime, schema, capabilities);
    this.#container = container;
  }

  protected override async _flush(): Promise<void> {
    this.#container.flush();
  }
}
