import type { GrantedKey } from './granted-key.ts';

/** The one document or script that a token is for. */
export interface GrantedChild {
  readonly type: 'docs' | 'sprocs' | 'triggers' | 'udfs';
  readonly id: string;
  /** The resource id of a document, where that was known when the token was issued. */
  readonly rid: string | undefined;
}

/** What a resource token permits: the content of a permission, bound to resource ids so that it never fits a successor of the same name. */
export interface ResourceGrant {
  /** Resource id of the permission. */
  readonly permission: string;
  /** Resource id of the container in which everything happens. */
  readonly container: string;
  /** Ids of the database and the container when the token was issued. They permit nothing: they tell a container that is gone from one of others. */
  readonly names: readonly [database: string, container: string];
  /** The one document or script that it is about; `undefined` for the whole container. */
  readonly child: GrantedChild | undefined;
  /** The partition key, or the prefix of one, that it is limited to. */
  readonly partitionKey: GrantedKey | undefined;
  readonly mode: 'Read' | 'All';
  /** Seconds since 1970 at which it ends. */
  readonly expiresAt: number;
}

/** Who sends a request, as far as the server cares: what the credential may do. */
export type Access =
  | { readonly kind: 'master' }
  /** The read-only key: reads everything but what holds tokens. */
  | { readonly kind: 'read-only' }
  /** A bearer token of a directory: documents, but no management of databases, containers, scripts and users. */
  | { readonly kind: 'directory'; readonly readOnly: boolean }
  | { readonly kind: 'token'; readonly grant: ResourceGrant };

/** What a route does with what it is about; each credential permits some of these. */
export type Need =
  /** The account itself, which every client reads first. */
  | 'account'
  /** Databases, containers and client encryption keys: what clients have to know before they read documents. */
  | 'metadata-read'
  /** Throughput and users. */
  | 'manage-read'
  | 'manage-write'
  /** Permissions, which hold tokens. */
  | 'permission-read'
  /** The definition of one container, or the list of its ranges. */
  | 'container-read'
  | 'container-write'
  /** A query plan, which says nothing of the documents. */
  | 'plan'
  | 'item-read'
  | 'item-write'
  | 'query'
  | 'changes'
  /** All documents of a container as a feed. */
  | 'list'
  | 'conflict-read'
  | 'conflict-write'
  | 'batch'
  | 'bulk'
  | 'delete-partition'
  | 'script-read'
  | 'script-write'
  | 'script-execute';

/** Needs that change nothing. */
const READS: ReadonlySet<Need> = new Set<Need>([
  'account',
  'metadata-read',
  'manage-read',
  'container-read',
  'plan',
  'item-read',
  'query',
  'changes',
  'list',
  'conflict-read',
  'script-read',
]);

/** Whether something changes nothing, and gives nothing away that permits more than the credential itself. */
export function isReading(need: Need): boolean {
  return READS.has(need);
}
