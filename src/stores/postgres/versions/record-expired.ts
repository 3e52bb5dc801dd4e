import type { JsonObject } from '../../../core/json.ts';
import { parsePropertyPath, partitionKeyOf, partitionKeyText } from '../../../store/partition-key.ts';
import { CHANGE_KINDS } from '../../common/change-kinds.ts';
import type { DocumentRow } from '../container-row.ts';
import type { PostgresContainer } from '../postgres-container.ts';
import type { Session } from '../postgres-database.ts';
import { takePositions } from '../take-positions.ts';
import { recordStatement } from './version-table.ts';

interface DueRow extends DocumentRow {
  readonly pk: string;
  readonly id: string;
  readonly epk: string;
}

/** Expired documents that are recorded by one statement. */
const TURN_ROWS = 1000;

/**
 * Records documents of some partition keys, or of all, that have expired, in the order of their time, and removes them; gives the position of the last,
 * `undefined` where none has. An expiry was when it was, but not before the time to live was set by which it was. The caller holds the locks of the
 * partition keys, or of the whole table.
 *
 * @param latestMs the time of the transaction, of which the expiry is part
 */
export async function recordExpired(
  container: PostgresContainer,
  session: Session,
  partitionKeys: readonly string[] | undefined,
  latestMs: number = Number.MAX_SAFE_INTEGER,
): Promise<number | undefined> {
  let last: number | undefined;
  for (let found = TURN_ROWS; found === TURN_ROWS;) {
    const positions = await recordSomeExpired(container, session, partitionKeys, latestMs);
    found = positions.length;
    last = positions.at(-1) ?? last;
  }
  return last;
}

/** {@link recordExpired} for those that one statement records; gives their positions. */
export async function recordSomeExpired(
  container: PostgresContainer,
  session: Session,
  partitionKeys: readonly string[] | undefined,
  latestMs: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly number[]> {
  const { names, info } = container;
  const due = await session.rows<DueRow>({
    text: `SELECT ordinal, pk, id, epk, position, ts, expires_at, body FROM ${names.documents} WHERE ($1::text[] IS NULL OR pk = ANY ($1::text[])) AND expires_at <= $2 ORDER BY expires_at, ordinal LIMIT $3`,
    values: [partitionKeys ?? null, container.nowSeconds(), TURN_ROWS],
  });
  if (due.length === 0) {
    return [];
  }
  const paths = info.definition.partitionKey.paths.map(parsePropertyPath);
  const positions = await takePositions(container, session, due.length);
  const changes = due.map((row, index) => ({
    ...row,
    kind: CHANGE_KINDS.expire,
    position: positions[index] as number,
    key: partitionKeyText(partitionKeyOf(JSON.parse(row.body) as JsonObject, paths)),
    atMs: Math.min(Math.max(row.expires_at ?? 0, info.ts) * 1000, latestMs),
    before: row,
  }));
  await session.rows(recordStatement(names, changes));
  await session.rows({ text: container.statements.dropRows, values: [due.map(({ ordinal }) => ordinal)] });
  return positions;
}
