import { equalValues } from '../../core/json-order.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';

/** What an index policy says at one place of a document. */
interface PolicyNode {
  readonly children: Map<string, PolicyNode>;
  /** `/?`: whether the scalar here is indexed. */
  scalar: boolean | undefined;
  /** `/*`: whether everything from here on is indexed. */
  subtree: boolean | undefined;
}

function newNode(): PolicyNode {
  return { children: new Map(), scalar: undefined, subtree: undefined };
}

const SEGMENT = /\/(?:"((?:[^"\\]|\\.)*)"|([^/]*))/g;
const ELEMENT = '[]';

function addPath(root: PolicyNode, path: string, included: boolean): void {
  let node = root;
  for (const match of path.matchAll(SEGMENT)) {
    const [, quoted, plain = ''] = match;
    if (quoted === undefined && plain === '?') {
      node.scalar = included;
      return;
    }
    if (quoted === undefined && plain === '*') {
      node.subtree = included;
      return;
    }
    const name = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
    let child = node.children.get(name);
    if (child === undefined) {
      child = newNode();
      node.children.set(name, child);
    }
    node = child;
  }
}

function pathsOf(policy: JsonObject, member: 'includedPaths' | 'excludedPaths'): readonly string[] {
  const entries = policy[member];
  return (Array.isArray(entries) ? (entries as readonly JsonValue[]) : [])
    .map((entry) => (isJsonObject(entry) ? entry['path'] : undefined))
    .filter((path) => typeof path === 'string');
}

/** Made by the store for each document: never a term, but for the time, which is counted by itself. */
const OF_STORE: ReadonlySet<string> = new Set(['_rid', '_self', '_attachments', '_etag', '_ts']);
/** The time of the last write is a term of every document, whatever the policy says. */
const TIME = 1;

/**
 * Counts the terms that documents have in the index of a container, for the request-unit model. The policy is read once. Documents may be given with
 * or without the properties that the store adds.
 */
export class IndexedTerms {
  readonly #root: PolicyNode = newNode();
  readonly #enabled: boolean;

  /** `policy` is in the form of Cosmos DB. Of two paths the longer one decides, and `/?` before `/*`. */
  constructor(policy: JsonObject) {
    this.#enabled = policy['indexingMode'] !== 'none';
    for (const path of pathsOf(policy, 'includedPaths')) {
      addPath(this.#root, path, true);
    }
    for (const path of pathsOf(policy, 'excludedPaths')) {
      addPath(this.#root, path, false);
    }
  }

  /** How many terms a document has: one for each indexed scalar. */
  count(document: JsonObject): number {
    return this.#enabled ? TIME + this.#members(document, this.#root, false, true) : 0;
  }

  /**
   * How many terms a replacement takes out of the index, and how many it puts in. The time always counts as changed, so that the same change costs the
   * same whether or not a second has passed.
   */
  changes(before: JsonObject, after: JsonObject): { readonly removed: number; readonly added: number } {
    if (!this.#enabled) {
      return { removed: 0, added: 0 };
    }
    let [removed, added] = [TIME, TIME];
    for (const key of Object.keys(after)) {
      const old = Object.hasOwn(before, key) ? before[key] : undefined;
      const now = after[key];
      if (!equalValues(old, now)) {
        removed += this.#member(key, old, this.#root, false, true);
        added += this.#member(key, now, this.#root, false, true);
      }
    }
    for (const key of Object.keys(before)) {
      if (!Object.hasOwn(after, key)) {
        removed += this.#member(key, before[key], this.#root, false, true);
      }
    }
    return { removed, added };
  }

  /** {@link changes} between two versions that say the same. */
  changesOfNothing(): { readonly removed: number; readonly added: number } {
    return this.#enabled ? { removed: TIME, added: TIME } : { removed: 0, added: 0 };
  }

  #members(object: JsonObject, node: PolicyNode | undefined, inherited: boolean, top: boolean): number {
    let terms = 0;
    for (const key of Object.keys(object)) {
      terms += this.#member(key, object[key], node, inherited, top);
    }
    return terms;
  }

  #member(key: string, value: JsonValue | undefined, node: PolicyNode | undefined, inherited: boolean, top: boolean): number {
    if (value === undefined || (top && OF_STORE.has(key))) {
      return 0;
    }
    if (top && key === 'id') {
      return 1;
    }
    return this.#value(value, node?.children.get(key), node?.subtree ?? inherited);
  }

  #value(value: JsonValue, node: PolicyNode | undefined, inherited: boolean): number {
    const below = node?.subtree ?? inherited;
    if (Array.isArray(value)) {
      const element = node?.children.get(ELEMENT);
      return (value as readonly JsonValue[]).reduce<number>((terms, item) => terms + this.#value(item, element, below), 0);
    }
    if (isJsonObject(value)) {
      return this.#members(value, node, below, false);
    }
    return (node?.scalar ?? below) ? 1 : 0;
  }
}
