import { documentPage } from '../document-page.ts';
import { queryBody } from '../query-body.ts';
import type { Reply } from '../reply.ts';
import type { RequestContext } from '../server-context.ts';
import { header } from '../wire-headers.ts';

/** `POST .../docs` with a query: one page of its answer. */
export async function queryDocuments(context: RequestContext): Promise<Reply> {
  const query = queryBody(context);
  const { crossPartitionQueries, orderBy } = context.server;
  return context.withContainer(async (container) => {
    if (crossPartitionQueries === 'service' && isAcrossPartitions(context)) {
      const { refuseIfPlanned } = await import('../query-plan-reply.ts');
      refuseIfPlanned(query, container.info.definition, orderBy);
    }
    return documentPage(context, container, query);
  });
}

/** Whether a query names neither a partition key nor a range: only then it is for the client to plan. */
function isAcrossPartitions({ headers }: RequestContext): boolean {
  return (
    header(headers, 'x-ms-documentdb-partitionkey') === undefined && header(headers, 'x-ms-documentdb-partitionkeyrangeid') === undefined
  );
}
