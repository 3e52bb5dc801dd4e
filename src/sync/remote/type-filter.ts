import { PerigeeError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json-order.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { parsePropertyPath, valueAtPath } from '../../store/partition-key.ts';
import type { QueryInput } from '../../store/queries.ts';
import type { ScopeEntry } from '../sync-options.ts';

/** The type filter of a scope, checked: which documents of the partition key belong to it. */
export class TypeFilter {
  /** The filter as text; equal text is equal filter. */
  readonly text: string;
  readonly #path: readonly string[];
  readonly #values: readonly JsonValue[];
  readonly #accepted: ReadonlySet<string>;

  /** @throws INVALID_OPTION */
  constructor(types: NonNullable<ScopeEntry['types']>) {
    if (!Array.isArray(types.values) || types.values.length === 0) {
      throw new PerigeeError('INVALID_OPTION', 'A type filter lists one value or more.');
    }
    this.#path = parsePropertyPath(types.path);
    this.#values = types.values as readonly JsonValue[];
    this.#accepted = new Set(this.#values.map(canonicalJson));
    this.text = canonicalJson([this.#path, [...this.#accepted].sort()]);
  }

  /** The entry of a scope that has this filter, from its {@link text}. */
  static entryOf(text: string): NonNullable<ScopeEntry['types']> {
    const [path, values] = JSON.parse(text) as [readonly string[], readonly string[]];
    return {
      path: path.map((name) => `/"${name.replaceAll(/["\\]/gu, String.raw`\$&`)}"`).join(''),
      values: values.map((value) => JSON.parse(value) as JsonValue),
    };
  }

  accepts(document: JsonObject): boolean {
    const value = valueAtPath(document, this.#path);
    return value !== undefined && this.#accepted.has(canonicalJson(value));
  }

  /** A query for something of the documents that belong; `selected` is what stands behind SELECT, with `c` for a document. */
  query(selected: string): QueryInput {
    const expression = `c${this.#path.map((name) => `[${JSON.stringify(name)}]`).join('')}`;
    const names = this.#values.map((_, index) => `@t${index}`);
    return {
      query: `SELECT ${selected} FROM c WHERE ${names.map((name) => `${expression} = ${name}`).join(' OR ')}`,
      parameters: this.#values.map((value, index) => ({ name: names[index] as string, value })),
    };
  }
}
