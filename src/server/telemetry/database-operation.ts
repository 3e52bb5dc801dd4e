import type { ResourceLink } from '../resource-link.ts';

/** Operations that the conventions call otherwise than the words of ours would say. */
const SPECIAL: Readonly<Record<string, string>> = {
  'read-change-feed': 'query_change_feed',
  'delete-partition': 'delete_all_items_by_partition_key',
};

/**
 * The name of an operation in the semantic conventions for Cosmos DB: `read-document` is `read_item`, `list-containers` is `read_all_containers`.
 * https://opentelemetry.io/docs/specs/semconv/db/cosmosdb/
 */
export function conventionalName(operation: string): string {
  return (
    SPECIAL[operation] ??
    operation
      .replace(/^list-/u, 'read-all-')
      .replace(/document(s?)$/u, 'item$1')
      .replaceAll('-', '_')
  );
}

/** As long as the service permits; a client may send longer ones. */
const MAX_NAME_LENGTH = 255;

/** The database and the container that a request is about, as the client names them. */
export function targetOf({ feed, id }: ResourceLink): { readonly database: string | undefined; readonly container: string | undefined } {
  const names = id === undefined ? feed.names : [...feed.names, id];
  const isIn = (shape: string): boolean => `${feed.shape}/`.startsWith(shape);
  return {
    database: isIn('dbs/') ? names[0]?.slice(0, MAX_NAME_LENGTH) : undefined,
    container: isIn('dbs/*/colls/') ? names[1]?.slice(0, MAX_NAME_LENGTH) : undefined,
  };
}
