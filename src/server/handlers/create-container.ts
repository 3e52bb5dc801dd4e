import { containerOwner } from '../catalog/find-owner.ts';
import { containerInput, containerJson } from '../container-json.ts';
import { resourceReply } from '../feed-reply.ts';
import { throughputOfRequest } from '../offers/throughput-of-request.ts';
import { DEFAULT_THROUGHPUT, partitionsOfNew } from '../offers/throughput.ts';
import { evenLayout } from '../partitions/partition-layout.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';

/** `POST /dbs/{database}/colls`: creates a container, with its throughput and the ranges that this takes. */
export async function createContainer(context: RequestContext): Promise<Reply> {
  const { backend, containers, offers, layouts, partitions } = context.server;
  const database = await containers.database(context.name(0));
  const asked = throughputOfRequest(context);
  const throughput = asked ?? ((await offers.isShared(database)) ? undefined : DEFAULT_THROUGHPUT);
  const info = await backend.createContainer(database.id, containerInput(context.jsonObject(), {}));
  const count = Math.max(partitions, throughput === undefined ? 1 : partitionsOfNew(throughput));
  await layouts.create(info, evenLayout(count, info.definition.partitionKey));
  if (throughput !== undefined) {
    await offers.create(containerOwner(info), throughput);
  }
  return resourceReply(201, containerJson(info));
}
