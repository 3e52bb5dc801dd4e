import type { BoundQuery } from '../prepared-query.ts';

/** Whether no row of a query is left out for want of a value, whatever the documents hold. */
export function everyRowHasValue({ node: { select } }: BoundQuery): boolean {
  return select.kind !== 'select-value' || select.expression.kind === 'object' || select.expression.kind === 'array';
}
