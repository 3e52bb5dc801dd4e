import type { StoredContainer } from '../common/stored-container.ts';

/** A document's row; `body` where it was asked for. */
export interface DocumentRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body?: string | undefined;
}

/** A container's row, with the highest position its documents had. */
export interface ContainerRow extends StoredContainer {
  readonly number: number;
  readonly id: string;
  readonly incarnation: string;
  readonly journal: string | null;
  readonly head: number;
}
