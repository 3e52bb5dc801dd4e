import type { AccessPath } from '../access/access-path.ts';
import { indexText } from '../access/index-definition.ts';

/** How an index is read: `/type, /rank: 1 value, then a range`. */
export function indexReading({ index, equal, range, order }: AccessPath): string {
  const values = equal.map(({ length }) => `${length} ${length === 1 ? 'value' : 'values'}`);
  const parts = [
    ...values,
    ...(range === undefined ? [] : ['a range']),
    ...(order === undefined ? [] : [`in the order of the query, ${order}`]),
  ];
  return `${indexText(index)}: ${parts.join(', then ')}`;
}
