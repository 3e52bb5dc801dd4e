import { hasLoneSurrogate } from '../../../core/json.ts';
import { rawSql, type Sql } from './sql-fragment.ts';

/** Beyond it an index is undefined anyhow: no document is that long. */
const MAX_INDEX = 2 ** 22;

/** What JSON escapes in a key, and SQLite's path language has no spelling for on every version: such keys are left to the evaluator. */
// eslint-disable-next-line no-control-regex
const UNSAFE = /["\\\u0000-\u001f\u007f]/;

/** A path of names and indexes as an SQL literal, such as `'$."a b"[0]'`; undefined for a name that SQLite's path language cannot quote. */
export function quotePath(steps: readonly (string | number)[]): Sql | undefined {
  let path = '$';
  for (const step of steps) {
    if (typeof step === 'number') {
      path += `[${step}]`;
    } else if (UNSAFE.test(step) || hasLoneSurrogate(step)) {
      return undefined;
    } else {
      path += `."${step}"`;
    }
  }
  return rawSql(`'${path.replaceAll("'", "''")}'`);
}

/** Whether a number can be an element's place; any other index gives undefined. */
export function isPlace(index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index <= MAX_INDEX;
}
