import type { CosmosClient, PermissionDefinition, PermissionMode, User } from '@azure/cosmos';
import { isPerigeeError, PerigeeError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Runtime } from '../../core/runtime.ts';
import { CallScope } from '../../stores/cosmos/call-scope.ts';
import { createCosmosClient, handleOf } from '../../stores/cosmos/cosmos-client.ts';
import type { CosmosModule } from '../../stores/cosmos/cosmos-options.ts';
import { partitionKeyJson } from '../../store/partition-key.ts';
import type { TokenScope } from './token-grants.ts';
import { PERMISSION_ID, userIdOf } from './token-ids.ts';
import type { TokenAccountOptions } from './token-service-options.ts';

/** What a permission is to be, apart from its id. */
type Content = Required<Pick<PermissionDefinition, 'permissionMode' | 'resource'>> & Pick<PermissionDefinition, 'resourcePartitionKey'>;
type Permission = PermissionDefinition & { readonly _token?: string };

/** Others may create and delete the same user meanwhile; more often than this is no coincidence. */
const ATTEMPTS = 4;

/** Gives `undefined` for one refusal. */
async function unless<R>(code: 'NOT_FOUND' | 'CONFLICT', work: Promise<R>): Promise<R | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isPerigeeError(error, code)) {
      return undefined;
    }
    throw error;
  }
}

function keyTextOf(permission: Pick<PermissionDefinition, 'resourcePartitionKey'>): string | undefined {
  return permission.resourcePartitionKey === undefined ? undefined : JSON.stringify(permission.resourcePartitionKey);
}

function isSame(permission: Permission, content: Content): boolean {
  return (
    permission.permissionMode?.toLowerCase() === content.permissionMode.toLowerCase() &&
    permission.resource?.replaceAll(/^\/|\/$/gu, '') === content.resource &&
    keyTextOf(permission) === keyTextOf(content)
  );
}

/** Users and permissions of an account, made as tokens are needed. Every error is typed; none of them holds a token. */
export class TokenAccount {
  readonly #client: CosmosClient;
  readonly #databaseId: string;

  private constructor(client: CosmosClient, databaseId: string) {
    this.#client = client;
    this.#databaseId = databaseId;
  }

  /** @throws INVALID_OPTION, DRIVER_MISSING */
  static async open(options: TokenAccountOptions, host: { readonly runtime: Runtime; readonly logger: Logger }): Promise<TokenAccount> {
    const { database, loadDriver, ...connection } = options;
    const load = loadDriver as (() => Promise<CosmosModule>) | undefined;
    return new TokenAccount(await createCosmosClient({ ...connection, ...host, loadDriver: load }), database);
  }

  /** A token of the permission for this scope; user and permission are made where they are missing. */
  async issue(subject: string, scope: TokenScope, lifetimeSeconds: number): Promise<{ readonly token: string; readonly userId: string }> {
    const userId = await userIdOf(subject, scope);
    const user = this.#client.database(this.#databaseId).user(userId);
    const content = this.#contentOf(scope);
    const options = { resourceTokenExpirySeconds: lifetimeSeconds };
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const found = await this.#read(user, lifetimeSeconds, scope);
      const permission =
        found === undefined
          ? await this.#create(user, content, lifetimeSeconds, scope)
          : isSame(found, content)
            ? found
            : await this.#call('replace a permission', scope, async () => {
                const response = await user.permission(PERMISSION_ID).replace({ id: PERMISSION_ID, ...content }, options);
                return response.resource as Permission | undefined;
              });
      if (permission?._token !== undefined && permission._token !== '') {
        return { token: permission._token, userId };
      }
    }
    throw new PerigeeError(
      'NOT_FOUND',
      `Cannot issue a token: the account gives none for the container ${JSON.stringify(scope.container)}. Check that it exists.`,
    );
  }

  /** Raises what is wrong with the account, as far as a look at the containers tells. */
  async check(containers: readonly string[]): Promise<void> {
    for (const id of containers) {
      await this.#call(`read the container ${JSON.stringify(id)}`, undefined, () =>
        this.#client.database(this.#databaseId).container(id).read(),
      );
    }
  }

  close(): void {
    handleOf(this.#client).dispose();
  }

  #contentOf({ container, partitionKey, mode }: TokenScope): Content {
    return {
      permissionMode: (mode === 'all' ? 'All' : 'Read') as PermissionMode,
      resource: `dbs/${this.#databaseId}/colls/${container}`,
      ...(partitionKey === undefined ? {} : { resourcePartitionKey: partitionKeyJson(partitionKey) }),
    };
  }

  /** Each look at a permission makes a new token. */
  #read(user: User, lifetimeSeconds: number, scope: TokenScope): Promise<Permission | undefined> {
    const reading = this.#call('read a permission', scope, async () => {
      const { resource } = await user.permission(PERMISSION_ID).read({ resourceTokenExpirySeconds: lifetimeSeconds });
      return resource as Permission | undefined;
    });
    return unless('NOT_FOUND', reading);
  }

  /** Makes user and permission; `undefined` where somebody else made or deleted one of them at the same time, or there is no container. */
  async #create(user: User, content: Content, lifetimeSeconds: number, scope: TokenScope): Promise<Permission | undefined> {
    await unless(
      'CONFLICT',
      this.#call('create a user', scope, () => user.database.users.create({ id: user.id })),
    );
    const creating = this.#call('create a permission', scope, async () => {
      const options = { resourceTokenExpirySeconds: lifetimeSeconds };
      return (await user.permissions.create({ id: PERMISSION_ID, ...content }, options)).resource as Permission | undefined;
    });
    return unless('CONFLICT', unless('NOT_FOUND', creating));
  }

  #call<R>(what: string, scope: TokenScope | undefined, work: () => Promise<R>): Promise<R> {
    const access = { databaseId: this.#databaseId, container: scope?.container, partitionKey: undefined, mode: 'all' } as const;
    return new CallScope({ kind: 'manage', attempt: `${what} in the database ${JSON.stringify(this.#databaseId)}`, access }).run(work);
  }
}
