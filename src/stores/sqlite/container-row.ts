import type { ContainerInfo } from '../../store/backend.ts';
import type { EtagEra } from '../../store/version-etag.ts';
import { readDefinition } from './definition-text.ts';

/** A document's row; `body` where it was asked for. */
export interface DocumentRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body?: string | undefined;
}

/** A container's row, with the highest position its documents had. */
export interface ContainerRow {
  readonly number: number;
  readonly id: string;
  readonly rid: string;
  readonly definition: string;
  readonly etag: string;
  readonly ts: number;
  readonly incarnation: string;
  readonly journal: string | null;
  /** {@link EtagEra}s as JSON; `null` for a container that was never restored. */
  readonly etags: string | null;
  readonly head: number;
}

/** Which etags the versions have that a container was restored with. */
export function erasOf({ etags }: Pick<ContainerRow, 'etags'>): readonly EtagEra[] {
  return etags === null ? [] : (JSON.parse(etags) as EtagEra[]);
}

/** A container as it is read. */
export function containerInfoOf(databaseId: string, row: Pick<ContainerRow, 'rid' | 'etag' | 'ts' | 'definition'>): ContainerInfo {
  return { databaseId, rid: row.rid, etag: row.etag, ts: row.ts, definition: readDefinition(row.definition) };
}
