export { MemoryBackend, openMemoryBackend, type MemoryBackendOptions } from './memory-backend.ts';
export { MemoryDocumentStore } from './memory-document-store.ts';
