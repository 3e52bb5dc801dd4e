import type { JsonValue } from '../../core/json.ts';
import type { AccessPath, IndexRange, IndexValue } from '../access/access-path.ts';
import type { QueryParameter } from '../syntax-nodes.ts';
import type { QueryRequest } from '../../store/store-hooks.ts';

/** Longer lists of values are not counted. */
const MAX_VALUES = 5000;

/** A query with its parameters. */
export interface CountQuery {
  readonly query: string;
  readonly parameters: readonly QueryParameter[];
}

/** A query that counts the documents to which an access leads; undefined where that would be a very long one. */
export function entriesQuery({ index, equal, range }: AccessPath): CountQuery | undefined {
  if (equal.reduce((sum, { length }) => sum + length, 0) > MAX_VALUES) {
    return undefined;
  }
  const parameters: QueryParameter[] = [];
  const bind = (value: JsonValue): string => {
    const name = `@v${parameters.length}`;
    parameters.push({ name, value });
    return name;
  };
  const pathOf = (column: number): string => `c${(index.columns[column]?.path ?? []).map((name) => `[${JSON.stringify(name)}]`).join('')}`;
  const oneOf = (path: string, values: readonly IndexValue[]): string => {
    const bound = values.filter((value) => value !== undefined && value !== null).map(bind);
    const ways = [
      ...(values.includes(undefined) ? [`NOT IS_DEFINED(${path})`] : []),
      ...(values.includes(null) ? [`IS_NULL(${path})`] : []),
      ...(bound.length > 0 ? [`${path} IN (${bound.join(', ')})`] : []),
    ];
    return ways.length === 0 ? 'false' : `(${ways.join(' OR ')})`;
  };
  const within = (path: string, { type, from, to }: IndexRange): string => {
    const ends = [
      ...(from === undefined ? [] : [`${path} ${from.inclusive ? '>=' : '>'} ${bind(from.value)}`]),
      ...(to === undefined ? [] : [`${path} ${to.inclusive ? '<=' : '<'} ${bind(to.value)}`]),
    ];
    return ends.length === 0 ? `${type === 'number' ? 'IS_NUMBER' : 'IS_STRING'}(${path})` : ends.join(' AND ');
  };
  const conditions = equal.map((values, column) => oneOf(pathOf(column), values));
  if (range !== undefined) {
    conditions.push(within(pathOf(equal.length), range));
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return { query: `SELECT VALUE COUNT(1) FROM c${where}`, parameters };
}

/** The request of a query that counts in place of another: over all documents, whatever that one was asked of. */
export function countingRequest(request: QueryRequest, { query, parameters }: CountQuery): QueryRequest {
  return { ...request, query, parameters, partitionKey: undefined, range: undefined, continuation: undefined, orderBy: 'lenient' };
}
