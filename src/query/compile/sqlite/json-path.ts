import { hasLoneSurrogate } from '../../../core/json.ts';
import { rawSql, type Sql } from '../common/sql-fragment.ts';

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
