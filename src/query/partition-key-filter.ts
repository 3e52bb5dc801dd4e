import { hasLoneSurrogate } from '../core/json.ts';
import { exceedsBytes, STORE_LIMITS } from '../store/limits.ts';
import { parsePropertyPath, partitionKeyText, type PartitionKey, type PartitionKeyComponent } from '../store/partition-key.ts';
import { leftSpine } from './left-spine.ts';
import type { BoundQuery, BoundSource, PreparedQuery } from './prepared-query.ts';
import type { BinaryNode, CallNode, ExpressionNode, QueryParameter } from './syntax-nodes.ts';
import { pathOf } from './walk.ts';

const FREE: unique symbol = Symbol('free');
const UNKNOWN: unique symbol = Symbol('unknown');
const NO_KEY: unique symbol = Symbol('no key');

/** One way to satisfy a condition: a component per partition key path, `FREE` where any value does. */
type Alternative = readonly (PartitionKeyComponent | typeof FREE)[];
/** All ways to satisfy a condition, or more; none at all when it is empty. */
type Alternatives = readonly Alternative[];

const MAX_ALTERNATIVES = 10_000;
/** How many pairs of alternatives one query may cost; beyond that one side of an AND is left out, which only widens the answer. */
const MAX_MERGES = 200_000;

/** What a condition says of the partition key. Every answer covers at least all documents that satisfy the condition. */
class KeyConditions {
  readonly #prepared: PreparedQuery;
  readonly #source: BoundSource & { readonly input: { readonly kind: 'container' } };
  readonly #paths: readonly string[];
  readonly #parameters: ReadonlyMap<string, unknown>;
  readonly #all: Alternatives;
  #merges = 0;
  /** Whether the answer depends on a parameter. */
  readsParameters = false;

  constructor(
    prepared: PreparedQuery,
    source: BoundSource & { readonly input: { readonly kind: 'container' } },
    paths: readonly string[],
    parameters: readonly QueryParameter[],
  ) {
    this.#prepared = prepared;
    this.#source = source;
    this.#paths = paths.map((path) => JSON.stringify(parsePropertyPath(path)));
    this.#parameters = new Map(parameters.map(({ name, value }) => [name, value]));
    this.#all = [paths.map(() => FREE)];
  }

  of(node: ExpressionNode): Alternatives {
    switch (node.kind) {
      case 'binary':
        return this.#ofChain(node);
      case 'in':
        return node.negated ? this.#all : this.#ofIn(node.operand, node.items);
      case 'unary':
        return node.operator === 'NOT' ? this.#ofNot(node.operand) : this.#all;
      case 'call':
        return this.#ofCall(node);
      default:
        return this.#ofValue(node);
    }
  }

  /** A value alone as the condition: it must be `true`. */
  #ofValue(node: ExpressionNode): Alternatives {
    const index = this.#keyIndex(node);
    if (index !== undefined) {
      return this.#only(index, true);
    }
    const value = this.#constant(node);
    return value === UNKNOWN || value === true ? this.#all : [];
  }

  #ofCall({ name, udf, arguments: [operand] }: CallNode): Alternatives {
    const index = !udf && name.toUpperCase() === 'IS_NULL' && operand !== undefined ? this.#keyIndex(operand) : undefined;
    return index === undefined ? this.#all : this.#only(index, null);
  }

  #ofNot(node: ExpressionNode): Alternatives {
    const operand = node.kind === 'call' && !node.udf && node.name.toUpperCase() === 'IS_DEFINED' ? node.arguments[0] : undefined;
    const index = operand === undefined ? undefined : this.#keyIndex(operand);
    return index === undefined ? this.#all : this.#only(index, undefined);
  }

  #ofChain(node: BinaryNode): Alternatives {
    const { first, steps } = leftSpine(node);
    const isLogical = steps[0]?.operator === 'AND' || steps[0]?.operator === 'OR';
    // Sides of a run of ORs wait here and are united at once: thousands of them are common.
    let sides = [isLogical ? this.of(first) : this.#all];
    for (const [position, { operator, operand }] of steps.entries()) {
      if (operator === 'OR') {
        sides.push(this.of(operand));
      } else if (operator === 'AND') {
        sides = [this.#both(this.#either(sides), this.of(operand))];
      } else {
        sides = [operator === '=' && position === 0 ? this.#ofEquality(first, operand) : this.#all];
      }
    }
    return this.#either(sides);
  }

  #ofEquality(left: ExpressionNode, right: ExpressionNode): Alternatives {
    return this.#keyIndex(left) === undefined ? this.#ofIn(right, [left]) : this.#ofIn(left, [right]);
  }

  #ofIn(operand: ExpressionNode, items: readonly ExpressionNode[]): Alternatives {
    const index = this.#keyIndex(operand);
    if (index === undefined || items.length > MAX_ALTERNATIVES) {
      return this.#all;
    }
    const found: Alternative[] = [];
    for (const item of items) {
      const value = this.#constant(item);
      if (value === UNKNOWN) {
        return this.#all;
      }
      if (value !== undefined) {
        const component = asComponent(value);
        if (component === NO_KEY) {
          return this.#all;
        }
        found.push(...this.#only(index, component));
      }
    }
    return found;
  }

  #only(index: number, component: PartitionKeyComponent): Alternatives {
    return [this.#paths.map((_, at) => (at === index ? component : FREE))];
  }

  #both(left: Alternatives, right: Alternatives): Alternatives {
    if (isAll(right)) {
      return left;
    }
    const pairs = left.length * right.length;
    if (!isAll(left) && (pairs > MAX_ALTERNATIVES || this.#merges + pairs > MAX_MERGES)) {
      return left.length < right.length ? left : right;
    }
    this.#merges += pairs;
    return isAll(left) ? right : left.flatMap((one) => right.flatMap((other) => merge(one, other)));
  }

  #either(sides: readonly Alternatives[]): Alternatives {
    if (sides.length === 1) {
      return sides[0] as Alternatives;
    }
    const united = sides.flat();
    return united.length > MAX_ALTERNATIVES || sides.some(isAll) ? this.#all : dedupe(united);
  }

  /** Which partition key path an expression is. */
  #keyIndex(node: ExpressionNode): number | undefined {
    const path = pathOf(node);
    const binding = path === undefined ? undefined : this.#prepared.identifiers.get(path.root);
    if (path === undefined || binding?.kind !== 'variable' || binding.slot !== this.#source.slot) {
      return undefined;
    }
    const { input } = this.#source;
    const index = this.#paths.indexOf(JSON.stringify([...(input.kind === 'container' ? input.path : []), ...path.steps]));
    return index === -1 ? undefined : index;
  }

  /** The value of an expression that no document decides; `UNKNOWN` where that cannot be told simply. */
  #constant(node: ExpressionNode): unknown {
    switch (node.kind) {
      case 'literal':
      case 'number':
        return node.value;
      case 'undefined':
        return undefined;
      case 'parameter':
        this.readsParameters = true;
        return this.#parameters.has(node.name) ? this.#parameters.get(node.name) : UNKNOWN;
      case 'unary': {
        const value = node.operator === '-' || node.operator === '+' ? this.#constant(node.operand) : UNKNOWN;
        return typeof value === 'number' ? (node.operator === '-' ? -value : value) : UNKNOWN;
      }
      default:
        return UNKNOWN;
    }
  }
}

/** Whether an answer says nothing; unions with such a side are always cut down to it. */
function isAll(alternatives: Alternatives): boolean {
  return alternatives.length === 1 && (alternatives[0] as Alternative).every((component) => component === FREE);
}

function asComponent(value: unknown): PartitionKeyComponent | typeof NO_KEY {
  switch (typeof value) {
    case 'string':
      return hasLoneSurrogate(value) || exceedsBytes(value, STORE_LIMITS.partitionKeyBytes) ? NO_KEY : value;
    case 'number':
      return Number.isFinite(value) ? (value === 0 ? 0 : value) : NO_KEY;
    case 'boolean':
      return value;
    default:
      return value === null ? null : NO_KEY;
  }
}

/** Both alternatives at once: one, or none where they contradict each other. */
function merge(one: Alternative, other: Alternative): Alternatives {
  const merged: (PartitionKeyComponent | typeof FREE)[] = [];
  for (const [index, component] of one.entries()) {
    const theirs = other[index] as PartitionKeyComponent | typeof FREE;
    if (component !== FREE && theirs !== FREE && component !== theirs) {
      return [];
    }
    merged.push(component === FREE ? theirs : component);
  }
  return [merged];
}

function dedupe(alternatives: Alternatives): Alternatives {
  const seen = new Map<string, Alternative>();
  for (const alternative of alternatives) {
    const text = alternative.map((component) => (component === FREE ? '*' : partitionKeyText([component]))).join('/');
    seen.set(text, alternative);
  }
  return [...seen.values()];
}

/** The components before the first one that is free. */
function prefixOf(alternative: Alternative): PartitionKey {
  const end = alternative.indexOf(FREE);
  return (end === -1 ? alternative : alternative.slice(0, end)) as PartitionKey;
}

function withoutCovered(keys: readonly PartitionKey[]): readonly PartitionKey[] {
  const byText = new Map(keys.map((key) => [partitionKeyText(key), key] as const));
  const isCovered = (key: PartitionKey): boolean => [...key.keys()].some((length) => byText.has(partitionKeyText(key.slice(0, length))));
  return [...byText.values()].filter((key) => !isCovered(key));
}

function isContainerSource(source: BoundSource): source is BoundSource & { readonly input: { readonly kind: 'container' } } {
  return source.input.kind === 'container' && !source.iterate;
}

/** The query that reads the documents: the root, or the one at the start of its FROM clause. */
function readerOf(query: BoundQuery): BoundQuery {
  const input = query.sources[0]?.input;
  return input?.kind === 'subquery' ? readerOf(input.query) : query;
}

/** The partition keys that a query can depend on, and whether parameters had a say in it. */
export interface PartitionKeyFilter {
  /** See {@link partitionKeysOf}. */
  readonly keys: readonly PartitionKey[] | 'all' | 'none';
  /** False where other parameters give the same keys. */
  readonly readsParameters: boolean;
}

/** {@link partitionKeysOf}, for whoever keeps the answer. */
export function partitionKeyFilter(
  prepared: PreparedQuery,
  partitionKeyPaths: readonly string[],
  parameters: readonly QueryParameter[],
): PartitionKeyFilter {
  const reader = readerOf(prepared.root);
  const source = reader.sources[0];
  if (reader.where === undefined || source === undefined || !isContainerSource(source)) {
    return { keys: 'all', readsParameters: false };
  }
  const conditions = new KeyConditions(prepared, source, partitionKeyPaths, parameters);
  const prefixes = conditions.of(reader.where).map(prefixOf);
  const { readsParameters } = conditions;
  if (prefixes.some((key) => key.length === 0)) {
    return { keys: 'all', readsParameters };
  }
  return { keys: prefixes.length === 0 ? 'none' : withoutCovered(prefixes), readsParameters };
}

/**
 * The partition keys whose documents a query can depend on: full keys, or prefixes of hierarchical ones; `'all'` where WHERE does not restrict
 * them, `'none'` where no key satisfies it. Reading the documents of these keys only gives the same answer as reading all.
 *
 * It understands `=`, IN, IS_NULL, NOT IS_DEFINED, AND and OR over constants and parameters; everything else counts as no restriction.
 * `'none'` is about documents, not rows: `SELECT COUNT(1)` gives 0 then. The keys are distinct and none is a prefix of another.
 * Where a computed property has the name that a partition key path starts with, the filter is about the former: do not ask then.
 *
 * @param partitionKeyPaths one to three paths such as `/tenant`.
 */
export function partitionKeysOf(
  prepared: PreparedQuery,
  partitionKeyPaths: readonly string[],
  parameters: readonly QueryParameter[],
): readonly PartitionKey[] | 'all' | 'none' {
  return partitionKeyFilter(prepared, partitionKeyPaths, parameters).keys;
}
