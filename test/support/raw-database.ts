import BetterSqlite3 from 'better-sqlite3';
import { retainNativeObject } from '../../src/stores/sqlite/native-objects.ts';

/** better-sqlite3 itself, for tests that look at a file past the store; its objects are kept where collecting them would abort the process. */
export class RawDatabase extends BetterSqlite3 {
  constructor(path?: string, options?: BetterSqlite3.Options) {
    super(path, options);
    retainNativeObject(this);
    const prepare = this.prepare.bind(this) as (sql: string) => object;
    this.prepare = ((sql: string) => retainNativeObject(prepare(sql))) as typeof this.prepare;
  }
}
