/** The kinds of resources that the catalog keeps, by the name that paths have for their feed. */
export type ResourceKind = 'users' | 'permissions' | 'clientencryptionkeys' | 'sprocs' | 'triggers' | 'udfs';

/** What a kind of resource is to the protocol. */
export interface ResourceKindInfo {
  /** The member of a feed's body that lists them. */
  readonly member: string;
  /** What one of them is called in messages. */
  readonly noun: string;
  /** What they belong to: a database, one of its users, or a container. */
  readonly owner: 'database' | 'user' | 'container';
  /** Whether a request may create or replace with one call. */
  readonly upserts: boolean;
  /** Feeds below one of them, as members that every answer has. */
  readonly feeds: Readonly<Record<string, string>>;
}

/** What the protocol knows of each kind. */
export const RESOURCE_KINDS: Readonly<Record<ResourceKind, ResourceKindInfo>> = {
  users: { member: 'Users', noun: 'user', owner: 'database', upserts: true, feeds: { _permissions: 'permissions/' } },
  permissions: { member: 'Permissions', noun: 'permission', owner: 'user', upserts: true, feeds: {} },
  clientencryptionkeys: { member: 'ClientEncryptionKeys', noun: 'client encryption key', owner: 'database', upserts: false, feeds: {} },
  sprocs: { member: 'StoredProcedures', noun: 'stored procedure', owner: 'container', upserts: true, feeds: {} },
  triggers: { member: 'Triggers', noun: 'trigger', owner: 'container', upserts: true, feeds: {} },
  udfs: { member: 'UserDefinedFunctions', noun: 'user-defined function', owner: 'container', upserts: true, feeds: {} },
};
