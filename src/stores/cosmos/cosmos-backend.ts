import type { ContainerDefinition as SdkContainer, CosmosClient } from '@azure/cosmos';
import { isPerigeeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ContainerInfo, DatabaseInfo } from '../../store/backend.ts';
import { BaseBackend, type CreateRefusal } from '../../store/base-backend.ts';
import type { StoreCapabilities } from '../../store/capabilities.ts';
import { defineContainer, type ContainerDefinition } from '../../store/container-definition.ts';
import type { StandardSchemaLike } from '../../store/standard-schema.ts';
import { CallScope } from './call-scope.ts';
import { conditionOf, ContainerLink } from './container-link.ts';
import { containerInfo, databaseInfo, isResource, resourceOf } from './container-resource.ts';
import { COSMOS_CAPABILITIES } from './cosmos-capabilities.ts';
import { buildClient, credentialsOf, handleOf, loadCosmosDriver, type ClientHandle } from './cosmos-client.ts';
import { CosmosDocumentStore } from './cosmos-document-store.ts';
import { badResponse } from './cosmos-errors.ts';
import { checkConcurrency, checkConnectionOptions, type CosmosBackendOptions, type KnownContainer } from './cosmos-options.ts';

/** What {@link CosmosBackend} is made of. */
interface BackendParts {
  /** The client of the backend's own calls, and of all stores where they share. */
  readonly main: ClientHandle;
  readonly ownsMain: boolean;
  /** A client for one store; `undefined` where stores share. */
  readonly build: (() => ClientHandle) | undefined;
  readonly maxConcurrency: number;
  readonly capabilities: StoreCapabilities;
  readonly known: ReadonlyMap<string, ContainerInfo>;
}

/** A Cosmos DB account, or a server that speaks its protocol, over the official SDK. Opened by {@link openCosmosBackend}. */
export class CosmosBackend extends BaseBackend {
  readonly name = 'cosmos';
  readonly capabilities: StoreCapabilities;
  readonly #parts: BackendParts;

  /** @internal */
  constructor(parts: BackendParts, runtime: CosmosBackend['runtime']) {
    super(runtime, 'Cosmos backend');
    this.#parts = parts;
    this.capabilities = parts.capabilities;
  }

  /** Forgets all tokens, so that each next call fetches one: after a sign-in, or when rights have changed. Does nothing where there is a key. */
  invalidateCredentials(): void {
    this.#parts.main.credentials?.invalidate();
  }

  protected async _createDatabase(id: string): Promise<DatabaseInfo | 'exists'> {
    return this.#call(`create the database ${JSON.stringify(id)}`, 'all', id, undefined, async (client, scope) => {
      try {
        return databaseInfo(checked(scope, (await client.databases.create({ id })).resource));
      } catch (error) {
        return refusedAs(scope, error, 'CONFLICT', 'exists');
      }
    });
  }

  protected _readDatabase(id: string): Promise<DatabaseInfo | undefined> {
    return this.#call(`read the database ${JSON.stringify(id)}`, 'read', id, undefined, async (client, scope) => {
      try {
        return databaseInfo(checked(scope, (await client.database(id).read()).resource));
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', undefined);
      }
    });
  }

  protected _listDatabases(): Promise<readonly DatabaseInfo[]> {
    return this.#call('list the databases', 'read', undefined, undefined, async (client, scope) => {
      const { resources } = await client.databases.readAll().fetchAll();
      return checkedList(scope, resources).map((resource) => databaseInfo(checked(scope, resource)));
    });
  }

  protected _deleteDatabase(id: string): Promise<boolean> {
    return this.#call(`delete the database ${JSON.stringify(id)}`, 'all', id, undefined, async (client, scope) => {
      try {
        const response = await client.database(id).delete();
        return checkDeleted(scope, response.statusCode);
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', false);
      }
    });
  }

  protected _createContainer(databaseId: string, definition: ContainerDefinition): Promise<ContainerInfo | CreateRefusal> {
    const attempt = `create the container ${JSON.stringify(definition.id)}`;
    return this.#call<ContainerInfo | CreateRefusal>(attempt, 'all', databaseId, definition.id, async (client, scope) => {
      try {
        const { resource } = await client.database(databaseId).containers.create(resourceOf(definition));
        return containerInfo(databaseId, checked(scope, resource));
      } catch (error) {
        const failure = scope.explain(error);
        if (isPerigeeError(failure, 'NOT_FOUND')) {
          return 'no-database';
        }
        return refusedAs(scope, error, 'CONFLICT', 'exists');
      }
    });
  }

  protected _readContainer(databaseId: string, id: string): Promise<ContainerInfo | undefined> {
    const known = this.#parts.known.get(nameOf(databaseId, id));
    if (known !== undefined) {
      return Promise.resolve(known);
    }
    return this.#call(`read the container ${JSON.stringify(id)}`, 'read', databaseId, id, async (client, scope) => {
      try {
        return containerInfo(databaseId, checked(scope, (await client.database(databaseId).container(id).read()).resource));
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', undefined);
      }
    });
  }

  protected override _indexProgress(databaseId: string, id: string): Promise<number | undefined> {
    const attempt = `read the progress of the indexes of the container ${JSON.stringify(id)}`;
    return this.#call(attempt, 'read', databaseId, id, async (client, scope) => {
      try {
        const { headers } = await client.database(databaseId).container(id).read({ populateQuotaInfo: true });
        return Number(headers['x-ms-documentdb-collection-index-transformation-progress'] ?? '100');
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', undefined);
      }
    });
  }

  protected _listContainers(databaseId: string): Promise<readonly ContainerInfo[] | undefined> {
    const attempt = `list the containers of the database ${JSON.stringify(databaseId)}`;
    return this.#call(attempt, 'read', databaseId, undefined, async (client, scope) => {
      try {
        const { resources } = await client.database(databaseId).containers.readAll().fetchAll();
        return checkedList(scope, resources).map((resource) => containerInfo(databaseId, checked(scope, resource)));
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', undefined);
      }
    });
  }

  protected _replaceContainer(
    current: ContainerInfo,
    definition: ContainerDefinition,
    ifMatch: string | undefined,
  ): Promise<ContainerInfo | undefined> {
    const { databaseId } = current;
    const attempt = `replace the container ${JSON.stringify(definition.id)}`;
    return this.#call(attempt, 'all', databaseId, definition.id, async (client, scope) => {
      try {
        const { resource } = await client
          .database(databaseId)
          .container(definition.id)
          .replace(resourceOf(definition) as SdkContainer, conditionOf(ifMatch));
        return containerInfo(databaseId, checked(scope, resource));
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', undefined);
      }
    });
  }

  protected _deleteContainer(databaseId: string, id: string, ifMatch: string | undefined): Promise<boolean> {
    return this.#call(`delete the container ${JSON.stringify(id)}`, 'all', databaseId, id, async (client, scope) => {
      try {
        const response = await client.database(databaseId).container(id).delete(conditionOf(ifMatch));
        return checkDeleted(scope, response.statusCode);
      } catch (error) {
        return refusedAs(scope, error, 'NOT_FOUND', false);
      }
    });
  }

  protected _container<T extends object>(
    container: ContainerInfo,
    schema: StandardSchemaLike | undefined,
  ): Promise<CosmosDocumentStore<T>> {
    const { build, main, capabilities, maxConcurrency } = this.#parts;
    const handle = build === undefined ? main : build();
    const context = { handle, ownsClient: build !== undefined, capabilities, maxConcurrency, runtime: this.runtime };
    return Promise.resolve(new CosmosDocumentStore<T>(new ContainerLink(handle.client, container), context, schema));
  }

  protected _close(): Promise<void> {
    if (this.#parts.ownsMain) {
      this.#parts.main.dispose();
    }
    return Promise.resolve();
  }

  #call<R>(
    attempt: string,
    mode: 'read' | 'all',
    databaseId: string | undefined,
    container: string | undefined,
    work: (client: CosmosClient, scope: CallScope) => Promise<R>,
  ): Promise<R> {
    const scope = new CallScope({ kind: 'manage', attempt, access: { databaseId, container, partitionKey: undefined, mode } });
    return scope.run(() => work(this.#parts.main.client, scope));
  }
}

type Resource = JsonObject & { readonly id: string; readonly _rid: string; readonly _etag: string; readonly _ts: number };

/** The resource of an answer. @throws BAD_RESPONSE */
function checked(scope: CallScope, resource: unknown): Resource {
  if (!isResource(resource)) {
    throw badResponse(scope, `status ${scope.answer?.status} without the resource`, scope.answer?.status);
  }
  return resource;
}

/** The resources of a list, as the service sent them. @throws BAD_RESPONSE */
function checkedList(scope: CallScope, resources: unknown): readonly unknown[] {
  if (!Array.isArray(resources) || resources.includes(undefined)) {
    throw badResponse(scope, 'no list of resources', scope.answer?.status);
  }
  return resources;
}

function checkDeleted(scope: CallScope, status: number): true {
  const headers = scope.answer?.headers ?? {};
  if (status !== 204 || !('x-ms-activity-id' in headers || 'x-ms-request-charge' in headers)) {
    throw badResponse(scope, `status ${status} without the service's headers`, status);
  }
  return true;
}

/** The value that stands for a refusal with `code`; throws any other. */
function refusedAs<R>(scope: CallScope, error: unknown, code: 'NOT_FOUND' | 'CONFLICT', value: R): R {
  const failure = scope.explain(error);
  if (isPerigeeError(failure, code)) {
    return value;
  }
  throw failure;
}

function nameOf(databaseId: string, id: string): string {
  return JSON.stringify([databaseId, id]);
}

function knownContainers(containers: readonly KnownContainer[]): ReadonlyMap<string, ContainerInfo> {
  return new Map(
    containers.map(({ databaseId, definition, rid }) => {
      const info: ContainerInfo = { databaseId, rid: rid ?? '', etag: '', ts: 0, definition: defineContainer(definition) };
      return [nameOf(databaseId, info.definition.id), info];
    }),
  );
}

/**
 * Opens a Cosmos DB account, or a server that speaks its protocol, through `@azure/cosmos`, which the application installs.
 *
 * Opening sends nothing; the first call does. Each store has a client of its own unless `sharedClient` or `client` says otherwise. Every call raises the
 * error of what came over the wire: UNAUTHORIZED, FORBIDDEN, TOKEN_EXPIRED (403/5), NOT_FOUND, SESSION_NOT_AVAILABLE (404/1002), CONFLICT,
 * PRECONDITION_FAILED, TOO_LARGE, THROTTLED (once `maxThrottleWaitMs` is spent), UNAVAILABLE; UNREACHABLE within `connectTimeoutMs` when nothing could be
 * sent; TIMEOUT and CONNECTION_LOST when the outcome is unknown; BAD_RESPONSE when something else answers.
 *
 * A token that the service refuses is fetched anew once before the refusal counts.
 *
 * @throws INVALID_OPTION, INVALID_CONTAINER (`containers`), DRIVER_MISSING
 *
 * @example
 * ```ts
 * import { openMemoryBackend } from 'perigee/memory';
 * import { startServer, WELL_KNOWN_KEY } from 'perigee/server';
 * import { openCosmosBackend } from 'perigee/cosmos';
 *
 * const served = openMemoryBackend();
 * const server = await startServer({ backend: served, port: 0 });
 * const backend = await openCosmosBackend({ endpoint: server.url, key: WELL_KNOWN_KEY });
 * await backend.createDatabase('app');
 * await backend.createContainer('app', { id: 'todos', partitionKey: '/owner' });
 * const todos = await backend.container<{ id: string; owner: string }>('app', 'todos');
 * await todos.create({ id: '1', owner: 'ada' });
 * console.log((await todos.read('1', 'ada'))?.document.owner); // -> ada
 * await backend.close();
 * await server.close();
 * await served.close();
 * ```
 */
export async function openCosmosBackend(options: CosmosBackendOptions): Promise<CosmosBackend> {
  const settings = checkConnectionOptions(options);
  const maxConcurrency = checkConcurrency(options.maxConcurrency);
  const known = knownContainers(options.containers ?? []);
  const capabilities = { ...COSMOS_CAPABILITIES, ...options.capabilities };
  if (options.client !== undefined) {
    const parts = { main: handleOf(options.client), ownsMain: false, build: undefined, maxConcurrency, capabilities, known };
    return new CosmosBackend(parts, settings.runtime);
  }
  const driver = await loadCosmosDriver(settings);
  const credentials = credentialsOf(settings);
  const build = (): ClientHandle => buildClient(driver, settings, credentials);
  const parts = {
    main: build(),
    ownsMain: true,
    build: options.sharedClient === true ? undefined : build,
    maxConcurrency,
    capabilities,
    known,
  };
  return new CosmosBackend(parts, settings.runtime);
}
