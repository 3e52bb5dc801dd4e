import { pathText } from '../../../query/access/index-definition.ts';
import { storedPathExpression } from '../../../query/compile/postgres/path-expression.ts';
import { MAX_POLICY_INDEXES, type WantedIndex } from '../../common/wanted-indexes.ts';

/** An index over what stands at one path. */
export interface PathIndex {
  /** Its name in the schema of the table. */
  readonly name: string;
  readonly path: readonly string[];
}

/** The catalogue's key of such an index: the same text exactly for the same path. */
export function pathKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Reads {@link pathKey}. */
export function readPathKey(key: string): readonly string[] {
  return JSON.parse(key) as readonly string[];
}

/** A kind of index over what a function of the catalogue makes of the value at a path. */
export class FunctionIndexKind {
  /** Its name in the catalogue. */
  readonly kind: string;
  readonly #function: string;
  readonly #access: 'gin' | 'gist';
  readonly #label: string;

  constructor(kind: string, options: { readonly function: string; readonly access: 'gin' | 'gist'; readonly label: string }) {
    this.kind = kind;
    this.#function = options.function;
    this.#access = options.access;
    this.#label = options.label;
  }

  /** The expression that is indexed, behind the name of the schema with the function; undefined for a path that PostgreSQL cannot be told. */
  #form(path: readonly string[]): string | undefined {
    const expression = storedPathExpression(path);
    return expression === undefined ? undefined : `${this.#function}(${expression})`;
  }

  /** The expression that is indexed, which every statement has to hold that is to use the index; `s` is the quoted schema of the catalogue. */
  expression(s: string, path: readonly string[]): string {
    return `${s}.${this.#form(path) as string}`;
  }

  /** What stands behind the name of the table in CREATE INDEX, of the form in the catalogue. */
  method(s: string, form: string): string {
    return `USING ${this.#access} (${s}.${form})`;
  }

  /** {@link method} of the index over a path. */
  methodOf(s: string, path: readonly string[]): string {
    return this.method(s, this.#form(path) as string);
  }

  /** The indexes over some paths: the first ones that PostgreSQL can be told, as many as are made. */
  wanted(paths: readonly (readonly string[])[]): readonly WantedIndex[] {
    const wanted = paths.flatMap((path) => {
      const form = this.#form(path);
      return form === undefined ? [] : [{ kind: this.kind, key: pathKey(path), form }];
    });
    return wanted.slice(0, MAX_POLICY_INDEXES);
  }

  /** An index for people: `spatial /place`. */
  textOf(path: readonly string[]): string {
    return `${this.#label} ${pathText(path)}`;
  }
}
