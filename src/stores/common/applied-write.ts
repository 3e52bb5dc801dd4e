import type { PatchOperation } from '../../store/operations.ts';
import type { PreparedDocument } from '../../store/prepared-document.ts';
import type { PreparedKey, WriteOperation } from '../../store/write-rules.ts';

/** The version of a document that a write replaced or deleted. */
export interface PreviousVersion {
  readonly etag: string;
  readonly position: number;
  /** Creation order in the container; kept on replace. */
  readonly ordinal: number;
  /** Seconds since 1970. */
  readonly ts: number;
  /** JSON of the document without system properties; there whenever a journal needs it, and sometimes without. */
  readonly text: string | undefined;
}

/** One write as it was applied, inside its transaction and before the commit. */
export interface AppliedWrite {
  /** The call that caused it. */
  readonly type: WriteOperation['type'];
  readonly key: PreparedKey;
  /** What a patch did; only for patches. */
  readonly patch?: readonly PatchOperation[] | undefined;
  /** What is stored now; `undefined` for a delete. A patch gives the patched document. */
  readonly document: PreparedDocument | undefined;
  /** `undefined` when the document was created. An expired version counts as none. */
  readonly previous: PreviousVersion | undefined;
  /** Etag of what is stored now; `undefined` for a delete. */
  readonly etag: string | undefined;
  readonly position: number;
  /** Creation order in the container. */
  readonly ordinal: number;
  /** Seconds since 1970, by the runtime's clock. */
  readonly ts: number;
}
