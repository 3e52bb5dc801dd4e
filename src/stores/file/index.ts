export { FileBackend, openFileBackend, type FileBackendOptions } from './file-backend.ts';
export { FileDocumentStore } from './file-document-store.ts';
