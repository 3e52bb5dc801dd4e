import type { JsonObject } from '../../core/json.ts';
import { pathText, type IndexColumn } from '../access/index-definition.ts';

/** The piece of an index policy that asks for an index: an included path for a single one, else a composite index. */
export function policyPiece(columns: readonly IndexColumn[]): JsonObject {
  const [first] = columns;
  return columns.length === 1 && first !== undefined
    ? { includedPaths: [{ path: `${pathText(first.path)}/?` }] }
    : {
        compositeIndexes: [
          columns.map(({ path, descending }) => ({ path: pathText(path), order: descending ? 'descending' : 'ascending' })),
        ],
      };
}
