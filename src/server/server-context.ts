import type { IncomingHttpHeaders } from 'node:http';
import { PerigeeError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Logger } from '../core/logger.ts';
import type { Backend } from '../store/backend.ts';
import { STORE_LIMITS } from '../store/limits.ts';
import type { OrderByMode } from '../store/queries.ts';
import type { ContainerRegistry, OpenContainer } from './container-registry.ts';
import type { ResourceLink } from './resource-link.ts';

/** What all requests share. */
export interface ServerContext {
  readonly backend: Backend;
  readonly containers: ContainerRegistry;
  readonly logger: Logger;
  readonly crossPartitionQueries: 'answer' | 'plan';
  readonly orderBy: OrderByMode;
  /** Where clients reach the server when they do not say themselves. */
  readonly url: () => string;
  readonly secure: boolean;
}

/** Nesting that a body may have: that of a document, and the few levels a batch puts around it. */
const MAX_DEPTH = STORE_LIMITS.documentDepth + 8;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/** One request, as its handler sees it: route found, signature checked, body read. */
export class RequestContext {
  readonly server: ServerContext;
  readonly method: string;
  readonly link: ResourceLink;
  readonly headers: IncomingHttpHeaders;
  readonly #body: string;
  readonly #onGone: (listener: () => void) => void;
  #signal: AbortSignal | undefined;

  constructor(
    server: ServerContext,
    method: string,
    link: ResourceLink,
    headers: IncomingHttpHeaders,
    body: string,
    onGone: (listener: () => void) => void,
  ) {
    this.server = server;
    this.method = method;
    this.link = link;
    this.headers = headers;
    this.#body = body;
    this.#onGone = onGone;
  }

  /** Aborts when the client goes away. Made when first asked for: only long work needs it. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#onGone(() => controller.abort());
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

  /** The body as JSON. @throws BAD_REQUEST */
  json(): unknown {
    let value: unknown;
    try {
      value = JSON.parse(this.#body);
    } catch (cause) {
      throw new PerigeeError('BAD_REQUEST', 'The body of the request is not valid JSON.', { cause });
    }
    if (isDeeper(value, MAX_DEPTH)) {
      throw new PerigeeError('BAD_REQUEST', 'The body of the request is nested too deeply.');
    }
    return value;
  }

  /** The body as a JSON object. @throws BAD_REQUEST */
  jsonObject(): JsonObject {
    const value = this.json();
    if (!isJsonObject(value)) {
      throw new PerigeeError('BAD_REQUEST', 'The body of the request is not a JSON object.');
    }
    return value;
  }

  /** Runs `work` on the container of the path. */
  withContainer<R>(work: (container: OpenContainer) => Promise<R>): Promise<R> {
    return this.server.containers.use(this.name(0), this.name(1), work);
  }
}
