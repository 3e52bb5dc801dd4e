import { PerigeeError } from '../core/errors.ts';
import type { OrderByMode } from './queries.ts';

/** Checks the option `orderBy` of a query. @throws INVALID_OPTION */
export function checkOrderByMode(given: OrderByMode = 'lenient'): OrderByMode {
  if (!['strict', 'policy', 'lenient'].includes(given)) {
    throw new PerigeeError('INVALID_OPTION', 'The option orderBy is "strict", "policy" or "lenient".');
  }
  return given;
}
