import { PerigeeError } from '../core/errors.ts';
import { parseDocumentRid } from '../store/resource-id.ts';

/** The part of a path up to a resource type: `dbs/app/colls/todos/docs`. Kept between requests, since an application uses few. */
export interface FeedPath {
  /** Resource types with `*` for the names between: `dbs/* /colls/* /docs` without the spaces. Routes are found by it. */
  readonly shape: string;
  /** Names between the types, decoded: database, container, … */
  readonly names: readonly string[];
  /** Decoded path, without slashes at the ends. */
  readonly path: string;
  /** Decoded path of the parent; requests on the feed sign it. */
  readonly parent: string;
  /** Path of the parent as it was sent: clients compare it with what they sent. */
  readonly rawParent: string;
  /** The last type: `docs`. */
  readonly type: string;
}

/** What a request is about: a feed, or, with an id, one resource of it. */
export interface ResourceLink {
  readonly feed: FeedPath;
  /** Id of the resource, decoded; `undefined` for the feed itself. */
  readonly id: string | undefined;
}

/**
 * Whether the last id of a link is a document's resource id: only where the container is named by its own, so that no id that looks like one is taken for
 * it. Rights and documents are found by the same answer.
 */
export function namesDocumentByRid({ feed, id }: ResourceLink, containerRid: string): boolean {
  return feed.type === 'docs' && feed.names[1] === containerRid && parseDocumentRid(id ?? '')?.container === containerRid;
}

const ROOT: ResourceLink = {
  feed: { shape: '', names: [], path: '', parent: '', rawParent: '', type: '' },
  id: undefined,
};

/** How many feeds are kept, and how long their paths may be: paths are read before signatures are checked, so strangers must not fill the memory. */
const MAX_CACHED_FEEDS = 1000;
const MAX_CACHED_LENGTH = 2000;

function decode(text: string): string {
  if (!text.includes('%')) {
    return text;
  }
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new PerigeeError('BAD_REQUEST', 'The path of the request holds a percent sign that does not start an encoded character.', {
      cause,
    });
  }
}

function parseFeed(raw: string): FeedPath {
  const parts = raw.split('/');
  const names: string[] = [];
  const decoded: string[] = [];
  const shape: string[] = [];
  for (const [index, part] of parts.entries()) {
    const text = decode(part);
    decoded.push(text);
    if (index % 2 === 0) {
      shape.push(text);
    } else {
      shape.push('*');
      names.push(text);
    }
  }
  return {
    shape: shape.join('/'),
    names,
    path: decoded.join('/'),
    parent: decoded.slice(0, -1).join('/'),
    rawParent: parts.slice(0, -1).join('/'),
    type: decoded.at(-1) as string,
  };
}

/** Reads the paths of requests, and remembers the feeds in them. */
export class LinkParser {
  /** By path as sent; `undefined` for a path that ends in a name, whose last part is then no id but a type. */
  readonly #feeds = new Map<string, FeedPath | undefined>();

  /**
   * Reads the target of a request. A question mark is part of an id, for clients send it as it is; there are no query strings.
   *
   * @throws BAD_REQUEST
   */
  parse(target: string): ResourceLink {
    let start = 0;
    while (target.charCodeAt(start) === 47) {
      start += 1;
    }
    const end = target.length > start && target.endsWith('/') ? target.length - 1 : target.length;
    if (start === end) {
      return ROOT;
    }
    const slash = target.lastIndexOf('/', end - 1);
    const feed = slash < start ? undefined : this.#feed(target.slice(start, slash));
    if (feed !== undefined) {
      return { feed, id: decode(target.slice(slash + 1, end)) };
    }
    const path = target.slice(start, end);
    return { feed: this.#feed(path) ?? parseFeed(path), id: undefined };
  }

  #feed(path: string): FeedPath | undefined {
    const known = this.#feeds.get(path);
    if (known !== undefined || this.#feeds.has(path)) {
      return known;
    }
    const feed = path.split('/').length % 2 === 1 ? parseFeed(path) : undefined;
    if (path.length > MAX_CACHED_LENGTH) {
      return feed;
    }
    if (this.#feeds.size >= MAX_CACHED_FEEDS) {
      this.#feeds.clear();
    }
    this.#feeds.set(path, feed);
    return feed;
  }
}
