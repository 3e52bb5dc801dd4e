import type { StoredContainer } from '../common/stored-container.ts';
import type { PgRow } from './postgres-database.ts';

/** A container in the catalogue. */
export interface ContainerRow extends StoredContainer, PgRow {
  readonly number: number;
  readonly database: number;
  readonly id: string;
  readonly incarnation: string;
  readonly versions_floor: number | null;
  readonly versions_from_ms: number | null;
  /** Paths that are columns too, as JSON (`columns/column-definition.ts`). */
  readonly columns: string | null;
}

/** A document's row. */
export interface DocumentRow extends PgRow {
  readonly ordinal: number;
  readonly position: number;
  readonly ts: number;
  readonly expires_at: number | null;
  readonly body: string;
}

export const CONTAINER_COLUMNS =
  'number, database, id, rid, definition, etag, ts, incarnation, etags, versions_floor, versions_from_ms, columns';
