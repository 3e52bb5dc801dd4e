import type { PartitionKeyText } from '../../store/partition-key.ts';

/** What a resource token permits: the content of a permission, bound to resource ids so that it never fits a successor of the same name. */
export interface ResourceGrant {
  /** Resource id of the permission. */
  readonly permission: string;
  /** Resource id of the container in which everything happens. */
  readonly container: string;
  /** The one document or script that it is about; `undefined` for the whole container. */
  readonly child: { readonly type: 'docs' | 'sprocs' | 'triggers' | 'udfs'; readonly id: string } | undefined;
  /** The partition key, or the prefix of one, that it is limited to. */
  readonly partitionKey: PartitionKeyText | undefined;
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
  /** Databases, containers, throughput, users and so on. */
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
  | 'batch'
  | 'bulk'
  | 'delete-partition'
  | 'script-read'
  | 'script-write'
  | 'script-execute';

/** Needs that change nothing. */
const READS: ReadonlySet<Need> = new Set<Need>([
  'account',
  'manage-read',
  'container-read',
  'plan',
  'item-read',
  'query',
  'changes',
  'list',
  'script-read',
]);

/** Whether something changes nothing, and gives nothing away that permits more than the credential itself. */
export function isReading(need: Need): boolean {
  return READS.has(need);
}
