/** One column of an index: the value at a path of property names. */
export interface IndexColumn {
  readonly path: readonly string[];
  readonly descending: boolean;
}

/**
 * An index over values of documents, in the order of the language: each column by type, then by value, equal ones by creation order.
 *
 * It says nothing of how a store keeps it, and need not exist: {@link chooseAccess} may be asked what it would do with one.
 */
export interface IndexDefinition {
  /** Tells it apart from the other indexes of the container; for people it is {@link indexText}. */
  readonly name: string;
  readonly columns: readonly IndexColumn[];
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/** A path of property names as index policies write it, without its ending: `/address/"zip code"`. */
export function pathText(path: readonly string[]): string {
  return path.map((name) => `/${PLAIN_NAME.test(name) ? name : JSON.stringify(name)}`).join('');
}

/** An index for people: `/type, /rank DESC`. */
export function indexText({ columns }: Pick<IndexDefinition, 'columns'>): string {
  return columns.map(({ path, descending }) => `${pathText(path)}${descending ? ' DESC' : ''}`).join(', ');
}

/** The same text exactly for indexes of the same columns. */
export function indexKey(columns: readonly IndexColumn[]): string {
  return JSON.stringify(columns.map(({ path, descending }) => [path, descending ? 1 : 0]));
}

/** Reads {@link indexKey}. */
export function readIndexKey(key: string): readonly IndexColumn[] {
  return (JSON.parse(key) as readonly (readonly [readonly string[], 0 | 1])[]).map(([path, descending]) => ({
    path,
    descending: descending === 1,
  }));
}
