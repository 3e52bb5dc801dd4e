import { queryMayFail } from '../may-fail.ts';
import type { BoundQuery } from '../prepared-query.ts';

/** Whether each row surely gives a value, whatever the documents hold: none is left out for want of one, and none fails. */
export function everyRowHasValue({ node }: BoundQuery): boolean {
  const { select } = node;
  return (
    (select.kind !== 'select-value' || select.expression.kind === 'object' || select.expression.kind === 'array') && !queryMayFail(node)
  );
}
