import type { SqlPlan } from '../common/sql-plan.ts';
import { cachingCompiler, type CompilePlan } from '../common/plan-cache.ts';
import type { SqliteCompileOptions } from './compile-filter.ts';
import { compileSqlitePlan } from './sqlite-plan.ts';

/** {@link compileSqlitePlan}, kept for the next page of the same query with the same parameters. A plan is pure data and may be shared. */
export const cachedSqlitePlan: CompilePlan<SqlPlan, SqliteCompileOptions> = cachingCompiler(compileSqlitePlan);
