import { parseDatabaseRid } from '../../store/resource-id.ts';
import { databaseJson } from '../container-json.ts';
import type { Reply } from '../reply.ts';
import { resourceFeed } from '../resource-feed.ts';
import type { RequestContext } from '../server-context.ts';

/** `GET /dbs`, and `POST /dbs` with a query. */
export async function listDatabases(context: RequestContext): Promise<Reply> {
  const databases = (await context.server.backend.listDatabases()).map((info) => ({
    ordinal: parseDatabaseRid(info.rid) as number,
    json: databaseJson(info),
  }));
  return resourceFeed(context, '', 'Databases', databases);
}
