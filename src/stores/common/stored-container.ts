import type { ContainerInfo } from '../../store/backend.ts';
import { containerRid, databaseRid } from '../../store/resource-id.ts';
import type { EtagEra } from '../../store/version-etag.ts';
import { readDefinition } from './definition-text.ts';

/** Etag and time of a database or container that is written now. */
export interface Stamp {
  readonly etag: string;
  readonly ts: number;
}

/** A new container: its stamp, and what sets its etags and cursors apart from those of any other. */
export interface ContainerStamp extends Stamp {
  readonly incarnation: string;
}

/** The database of the catalog's container: one that no user's database reaches, and that no list shows. */
export const CATALOG_DATABASE = 0xffffffff;
/** Resource id of the catalog's container. */
export const CATALOG_RID: string = containerRid(databaseRid(CATALOG_DATABASE), 1);

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
