import { PerigeeError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { sizeOf } from '../executor/measure-value.ts';
import type { ExpressionNode } from '../syntax-nodes.ts';

/** How many rows the subqueries of one expression or source may walk: nothing else gets a turn meanwhile. */
const MAX_SUBQUERY_ROWS = 10_000_000;
/** How large a value may be that gets a name, by LET or as a row of a subquery, and so may be used many times over. */
const MAX_NAMED_BYTES = 2 ** 26;

let depth = 0;
let rows = 0;

/** Runs the outermost of nested subqueries with a fresh count of rows. Evaluation never waits, so one count serves all queries. */
export function countingRows(run: () => void): void {
  if (depth === 0) {
    rows = 0;
  }
  depth += 1;
  try {
    run();
  } finally {
    depth -= 1;
  }
}

/** Counts a row of a subquery. @throws QUERY_LIMIT */
export function countRow(): void {
  rows += 1;
  if (rows > MAX_SUBQUERY_ROWS) {
    throw new PerigeeError(
      'QUERY_LIMIT',
      `Cannot run the query: its subqueries walk more than ${MAX_SUBQUERY_ROWS} rows for one document. Filter the arrays, or join fewer of them.`,
    );
  }
}

/** Expressions that give a part of a document, or of a value that has a name already. */
const PARTS: ReadonlySet<ExpressionNode['kind']> = new Set(['identifier', 'member', 'index', 'literal', 'parameter']);

/**
 * About how many bytes a value takes that gets a name, beside `taken` bytes of others; a part of a document counts as little.
 *
 * @throws RangeError over {@link MAX_NAMED_BYTES}: a run of a query turns it into QUERY_LIMIT
 */
export function namedBytes(value: JsonValue, expression: ExpressionNode | undefined, taken: number = 0): number {
  const most = MAX_NAMED_BYTES - taken;
  const isPart = expression !== undefined && PARTS.has(expression.kind);
  return sizeOf(isPart ? null : value, most);
}
