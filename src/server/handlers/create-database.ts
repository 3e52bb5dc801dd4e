import { databaseOwner } from '../catalog/find-owner.ts';
import { databaseJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { throughputOfRequest } from '../offers/throughput-of-request.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `POST /dbs`: creates a database, with a throughput that its containers share where the headers name one. */
export async function createDatabase(context: RequestContext): Promise<Reply> {
  const { backend, offers } = context.server;
  const { id } = context.jsonObject();
  const throughput = throughputOfRequest(context);
  const database = await backend.createDatabase(id as string);
  if (throughput !== undefined) {
    await offers.create(databaseOwner(database), throughput);
  }
  return resourceReply(201, databaseJson(database));
}
