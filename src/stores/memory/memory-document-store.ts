import type { JsonObject } from '../../core/json.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import type { ResidentContainer } from '../common/resident-container.ts';
import { ResidentDocumentStore } from '../common/resident-document-store.ts';
import { MEMORY_CAPABILITIES } from './memory-capabilities.ts';

/** One container of a {@link MemoryBackend}. */
export class MemoryDocumentStore<T extends object = JsonObject> extends ResidentDocumentStore<T> {
  constructor(container: ResidentContainer, runtime: Runtime, schema: StandardSchemaLike | undefined) {
    super(container, runtime, schema, MEMORY_CAPABILITIES);
  }
}
