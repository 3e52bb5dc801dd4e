import type { ContainerInfo } from '../../store/backend.ts';
import type { EtagEra } from '../../store/version-etag.ts';
import { readDefinition } from './definition-text.ts';

/** What a catalogue keeps of a container. */
export interface StoredContainer {
  readonly rid: string;
  readonly definition: string;
  readonly etag: string;
  readonly ts: number;
  /** {@link EtagEra}s as JSON; `null` for a container that was never restored. */
  readonly etags: string | null;
}

/** Which etags the versions have that a container was restored with. */
export function erasOf({ etags }: Pick<StoredContainer, 'etags'>): readonly EtagEra[] {
  return etags === null ? [] : (JSON.parse(etags) as EtagEra[]);
}

/** A container as it is read. */
export function containerInfoOf(databaseId: string, row: Omit<StoredContainer, 'etags'>): ContainerInfo {
  return { databaseId, rid: row.rid, etag: row.etag, ts: row.ts, definition: readDefinition(row.definition) };
}
