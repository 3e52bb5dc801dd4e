import type { ContainerInfo } from '../../store/backend.ts';
import type { ContainerDefinition } from '../../store/container-definition.ts';
import type { ContainerRow } from './container-row.ts';
import { readDefinition } from '../common/definition-text.ts';
import { reconcileIndexes, stopBuilds } from './indexes/index-catalog.ts';
import { quoteName } from './names.ts';
import type { PostgresDatabase, Session } from './postgres-database.ts';
import type { PostgresContainer } from './postgres-container.ts';
import type { Stamp } from '../common/stored-container.ts';
import { Resources } from './resource-statements.ts';
import { takePositions } from './take-positions.ts';
import { recordExpired } from './versions/record-expired.ts';

/**
 * Writes another definition in place of a container's, and does to its documents what follows from it; run it in one transaction. `undefined` when the
 * container is gone. Writers wait meanwhile, and then find that the definition they know is not that of now. What has expired by the definition before
 * stays expired.
 */
export async function redefineContainer(
  session: Session,
  database: PostgresDatabase,
  containerOf: (row: ContainerRow) => PostgresContainer,
  { databaseId, rid }: ContainerInfo,
  definition: ContainerDefinition,
  ifMatch: string | undefined,
  stamp: Stamp,
): Promise<ContainerRow | undefined> {
  const resources = new Resources(session, database.prefix);
  const found = await resources.holdContainer(await resources.findContainer(databaseId, definition.id), ifMatch);
  if (found === undefined || found.rid !== rid) {
    return undefined;
  }
  const container = containerOf(found);
  const { schema, documents } = container.names;
  await stopBuilds(session, schema, documents);
  await session.rows({ text: `LOCK TABLE ${documents} IN SHARE ROW EXCLUSIVE MODE` });
  const wasRecording = readDefinition(found.definition).changeFeedPolicy !== undefined;
  if (wasRecording) {
    await recordExpired(container, session, undefined);
  }
  const row = await resources.replaceDefinition(rid, definition, stamp);
  if (row !== undefined) {
    await reconcileIndexes(session, database.prefix, row, definition);
    const nowSeconds = Math.floor(database.runtime.nowMs() / 1000);
    await restampExpiry(session, database.prefix, documents, definition.defaultTtl, nowSeconds);
    if (!wasRecording && definition.changeFeedPolicy !== undefined) {
      // A position of its own, so that cursors of an earlier recording lie before it.
      const [position = 0] = await takePositions(container, session, 1);
      return resources.beginRecording(row, { position, atMs: Math.floor(database.runtime.nowMs()) });
    }
    return wasRecording && definition.changeFeedPolicy === undefined ? resources.endRecording(row) : row;
  }
  return row;
}

/** Living documents get the expiry that a default time to live gives them. */
async function restampExpiry(
  session: Session,
  prefix: string,
  documents: string,
  defaultTtl: number | undefined,
  nowSeconds: number,
): Promise<void> {
  const living = '(expires_at IS NULL OR expires_at > $1)';
  if (defaultTtl === undefined) {
    await session.rows({
      text: `UPDATE ${documents} SET expires_at = NULL WHERE expires_at IS NOT NULL AND ${living}`,
      values: [nowSeconds],
    });
    return;
  }
  // Of the text, since of odd documents `doc` tells nothing.
  const ttl = `coalesce((${quoteName(prefix)}.column_whole(body) ->> 'ttl')::numeric::bigint, $2::bigint)`;
  const expiry = `CASE WHEN ${ttl} = -1 THEN NULL ELSE ts + ${ttl} END`;
  await session.rows({
    text: `UPDATE ${documents} SET expires_at = ${expiry} WHERE ${living} AND expires_at IS DISTINCT FROM ${expiry}`,
    values: [nowSeconds, defaultTtl],
  });
}
