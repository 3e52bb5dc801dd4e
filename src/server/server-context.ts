import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { isPerigeeError, PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Logger } from '../core/logger.ts';
import type { Runtime } from '../core/runtime.ts';
import type { Backend, ContainerInfo } from '../store/backend.ts';
import type { OrderByMode } from '../store/queries.ts';
import type { Access } from './access/access.ts';
import type { ResourceTokens } from './access/resource-tokens.ts';
import type { ServerCatalog } from './catalog/server-catalog.ts';
import type { ContainerRegistry, OpenContainer } from './container-registry.ts';
import type { OfferBook } from './offers/offer-book.ts';
import type { LayoutStore } from './partitions/layout-store.ts';
import { parseJson } from './parse-json.ts';
import type { PartitionKeyParser } from './partition-key-parser.ts';
import type { Reply } from './reply.ts';
import type { ResourceLink } from './resource-link.ts';
import type { ScriptLoader } from './scripts/script-loader.ts';
import type { ThroughputLimiter } from './throttle/throughput-limiter.ts';
import { header } from './wire-headers.ts';
import type { CrossPartitionQueries } from './server-options.ts';

/** What all requests share. */
export interface ServerContext {
  readonly backend: Backend;
  /** Time of the server itself: dates of signatures, lives of tokens. Documents take theirs from the backend's. */
  readonly runtime: Runtime;
  readonly containers: ContainerRegistry;
  readonly catalog: ServerCatalog;
  readonly offers: OfferBook;
  readonly layouts: LayoutStore;
  readonly tokens: ResourceTokens;
  readonly scripts: ScriptLoader;
  /** Partition keys in headers. */
  readonly keys: PartitionKeyParser;
  /** `undefined` where throughput is not enforced. */
  readonly limiter: ThroughputLimiter | undefined;
  readonly logger: Logger;
  readonly crossPartitionQueries: CrossPartitionQueries;
  readonly orderBy: OrderByMode;
  /** How many ranges a new container has at least. */
  readonly partitions: number;
  /** Where clients reach the server when they do not say themselves. */
  readonly url: () => string;
  readonly secure: boolean;
}

/** Sub-status of a request that means an earlier container of the same name. */
const OTHER_CONTAINER = 1024;

/** One request as it came, its route found and its credential checked. */
export interface RequestParts {
  readonly method: string;
  readonly link: ResourceLink;
  readonly headers: IncomingHttpHeaders;
  readonly access: Access;
  readonly body: string;
  /** Closes when it is written, or when the client has gone. */
  readonly response: Pick<ServerResponse, 'once'>;
}

/** One request, as its handler sees it: route found, signature checked, body read. */
export class RequestContext {
  readonly server: ServerContext;
  readonly method: string;
  readonly link: ResourceLink;
  readonly headers: IncomingHttpHeaders;
  readonly access: Access;
  readonly #parts: RequestParts;
  #signal: AbortSignal | undefined;

  constructor(server: ServerContext, parts: RequestParts) {
    this.server = server;
    this.method = parts.method;
    this.link = parts.link;
    this.headers = parts.headers;
    this.access = parts.access;
    this.#parts = parts;
  }

  /** Aborts when the client goes away. Made when first asked for: only long work needs it. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#parts.response.once('close', () => controller.abort());
    }
    return this.#signal;
  }

  /** A name in the path, counted from the left: database, container. */
  name(index: number): string {
    const { feed, id } = this.link;
    return feed.names[index] ?? (id as string);
  }

  /** The id at the end of the path. */
  get id(): string {
    return this.link.id as string;
  }

  /** The body as it came. */
  get text(): string {
    return this.#parts.body;
  }

  /** The body as JSON. @throws BAD_REQUEST */
  json(): unknown {
    return parseJson(this.#parts.body, 'The body of the request');
  }

  /** The body as a JSON object. @throws BAD_REQUEST */
  jsonObject(): JsonObject {
    const value = this.json();
    if (!isJsonObject(value)) {
      throw new PerigeeError('BAD_REQUEST', 'The body of the request is not a JSON object.');
    }
    return value;
  }

  /** The container of the path, once the credential permits it. @throws NOT_FOUND, FORBIDDEN */
  async containerInfo(): Promise<ContainerInfo> {
    try {
      const info = await this.server.containers.containerInfo(this.name(0), this.name(1));
      this.#checkContainer(info.rid);
      return info;
    } catch (error) {
      throw this.#asPermitted(error);
    }
  }

  #checkContainer(rid: string): void {
    if (this.access.kind === 'token' && this.access.grant.container !== rid) {
      throw otherContainer();
    }
  }

  /** A token does not tell which containers there are beside its own: what it may not read may as well be missing. */
  #asPermitted(error: unknown): unknown {
    if (this.access.kind !== 'token' || !isPerigeeError(error, 'NOT_FOUND')) {
      return error;
    }
    const { names, container } = this.access.grant;
    const isOwn = this.name(1) === container || (this.name(0) === names[0] && this.name(1) === names[1]);
    return isOwn ? error : otherContainer();
  }

  /** Clients that encrypt name the container whose policy they know; after it was made again under the same name they have to read that anew. */
  #checkIntended(rid: string): void {
    const intended = header(this.headers, 'x-ms-cosmos-intended-collection-rid');
    if (intended !== undefined && intended !== rid) {
      throw new PerigeeError(
        'BAD_REQUEST',
        'The container is not the one that the request means: it was deleted and made again. Read it again.',
        {
          subStatus: OTHER_CONTAINER,
        },
      );
    }
  }

  /** Runs `work` on the container of the path, once the credential permits it and the throughput allows it. */
  withContainer(work: (container: OpenContainer) => Promise<Reply>): Promise<Reply> {
    return this.access.kind === 'token' ? this.#withGranted(work) : this.#use(work);
  }

  /** {@link withContainer} for a token, which is not told what there is beside its own container. */
  async #withGranted(work: (container: OpenContainer) => Promise<Reply>): Promise<Reply> {
    let isFound = false;
    try {
      return await this.#use((container) => {
        isFound = true;
        return work(container);
      });
    } catch (error) {
      throw isFound ? error : this.#asPermitted(error);
    }
  }

  #use(work: (container: OpenContainer) => Promise<Reply>): Promise<Reply> {
    const { containers, limiter } = this.server;
    return containers.use(this.name(0), this.name(1), (container) => {
      this.#checkContainer(container.info.rid);
      this.#checkIntended(container.info.rid);
      return limiter === undefined ? work(container) : limiter.run(this, container, () => work(container));
    });
  }
}

function otherContainer(): PerigeeError {
  return new PerigeeError('FORBIDDEN', 'The resource token is for another container than the one in the path.');
}
