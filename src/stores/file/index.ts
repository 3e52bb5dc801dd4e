export { FileBackend, openFileBackend } from './file-backend.ts';
export { FileDocumentStore } from './file-document-store.ts';
export type { FileBackendOptions } from './file-options.ts';
