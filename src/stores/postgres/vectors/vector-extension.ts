import type { PgRow } from '../postgres-database.ts';
import type { Run } from '../scan-slices.ts';

/** The extension `vector` (pgvector) of a database. */
export interface VectorExtension {
  /** The schema of its types and operators. */
  readonly schema: string;
  readonly version: readonly [major: number, minor: number];
}

interface ExtensionRow extends PgRow {
  readonly schema: string;
  readonly version: string;
}

/** From these versions on it has indexes of graphs (HNSW), vectors of 2-byte numbers, and scans that go on where a filter leaves too few. */
const HNSW: VectorExtension['version'] = [0, 5];
const HALF_VECTORS: VectorExtension['version'] = [0, 7];
const ITERATIVE: VectorExtension['version'] = [0, 8];

function isFrom({ version: [major, minor] }: VectorExtension, [leastMajor, leastMinor]: VectorExtension['version']): boolean {
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Looks the extension up; undefined where the database has none, or one that is too old or in a schema that this user may not use. */
export async function findVectorExtension(run: Run): Promise<VectorExtension | undefined> {
  const [row] = await run<ExtensionRow>({
    text: `SELECT n.nspname AS schema, e.extversion AS version FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'vector' AND n.nspname ~ '^[A-Za-z0-9_$]+$' AND has_schema_privilege(n.oid, 'USAGE')`,
    values: [],
  });
  const [, major, minor] = /^(\d+)\.(\d+)/u.exec(row?.version ?? '') ?? [];
  if (row === undefined || major === undefined) {
    return undefined;
  }
  const extension = { schema: row.schema, version: [Number(major), Number(minor)] } as const;
  return isFrom(extension, HNSW) ? extension : undefined;
}

/** Whether it has vectors of 2-byte numbers. */
export function hasHalfVectors(extension: VectorExtension): boolean {
  return isFrom(extension, HALF_VECTORS);
}

/** Whether a scan of its indexes goes on where a filter leaves too few. */
export function scansOn(extension: VectorExtension): boolean {
  return isFrom(extension, ITERATIVE);
}
